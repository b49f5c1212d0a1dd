export { createFeedLog } from './feed-log.ts'
export { closeOnSignal } from './close-on-signal.ts'
export {
  AgentEnvironment,
  EnvironmentError,
  readEnvironment,
  ServerEnvironment,
} from './environment.ts'
export { ListenError, type Bind, type Bound } from './listen.ts'
export { createLogger, type Logger, type LoggerOptions } from './logger.ts'
export { startPruning, type PruningOptions } from './pruning.ts'
export { serveAgent, type RunningAgent, type ServeAgentOptions } from './serve-agent.ts'
export { type AgentLimits, type AgentLimitsOptions } from './limits/agent-limits.ts'
export { createLoggedCallerAddress } from './logged-caller-address.ts'
export { discardBody } from './limits/discard-body.ts'
export type { RequestRefusal } from './limits/request-refusal.ts'
export type { WebSocketLimits } from './web-socket/web-socket-limits.ts'
export { writeTogether } from './write-together.ts'
