export { createAgentContract } from './agent-contract.ts'
export { AuthError } from './auth-error.ts'
export {
  createCallDeadlines,
  type CallDeadline,
  type CallDeadlines,
  type CallDeadlinesOptions,
  type ReadDeadline,
} from './call-deadline.ts'
export { CallRefusal, type CallRefusalOptions } from './call-refusal.ts'
export { createChallengeHeaders } from './challenge-headers.ts'
export type { AgentContextRequest } from './caller-verifier.ts'
export { createConnectionContext, type ConnectionContext } from './connection-context.ts'
export {
  createAgentContext,
  type AgentContext,
  type AgentContextOptions,
  type AgentTransport,
} from './context.ts'
export { toPublicError, type AgentErrorData, type PublicError } from './error-data.ts'
export type { CallEnd, CallStart, ObserveCall } from './observe-call.ts'
export { createOpenStreams, type OpenStreams, type OpenStreamsOptions } from './open-streams.ts'
export {
  listProcedures,
  type AgentMeta,
  type MetaOf,
  type ProcedureNeeds,
  type ProcedureSummary,
  type ScopedProcedureArguments,
} from './procedure-needs.ts'
export { agentRouter, assertScopedRouter, requireScope, scopedProcedure } from './procedure.ts'
// From the copy of tRPC that looks for it: of two, neither knows the other's.
export { tracked } from '@trpc/server'
