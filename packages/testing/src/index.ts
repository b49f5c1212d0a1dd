export type { FailingOptions, Fault, OutageOptions, SlowOptions } from './faults.ts'
export type { LogLine } from './log/log-book.ts'
export type {
  ActForOptions,
  Callable,
  CalledWith,
  Caller,
  ClientOptions,
  Deputy,
  TestCredential,
  TestGrant,
  TokenOptions,
} from './party/caller.ts'
export type { AgentPlace } from './party/enrol.ts'
export { refusal } from './party/refusal.ts'
export type { PartySettings } from './party/register.ts'
export { TestToken } from './party/test-token.ts'
export {
  createTestWorld,
  TestWorldError,
  type AgentOptions,
  type HostOptions,
  type Party,
  type PassedRequest,
  type TestAgent,
  type TestWorld,
  type TestWorldOptions,
} from './test-world.ts'
export { WORLD_BEGINS_AT } from './time/world-clock.ts'
export type { AuditEntry, Revocable, TaskGrantOptions, WorldActs } from './world-acts.ts'
