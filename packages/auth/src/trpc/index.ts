export { AuthError } from './auth-error.ts'
export { CallRefusal, type CallRefusalOptions } from './call-refusal.ts'
export { createChallengeHeaders } from './challenge-headers.ts'
export {
  createAgentContext,
  type AgentContext,
  type AgentContextOptions,
  type AgentContextRequest,
  type AgentTransport,
} from './context.ts'
export { toPublicError, type AgentErrorData, type PublicError } from './error-data.ts'
export type { CallEnd, CallStart, ObserveCall } from './observe-call.ts'
export {
  agentRouter,
  assertScopedRouter,
  listProcedures,
  requireScope,
  scopedProcedure,
  type AgentMeta,
  type ProcedureSummary,
} from './procedure.ts'
