// The tRPC context of an agent: who is calling, asked lazily and per call, so that a refusal belongs
// to the call (with its path).
import type { RateLimitRefusal, RateLimitState } from '../limit/rate-limit.ts'
import type { CallerCount } from '../limit/caller-count.ts'
import type { LimitCaller } from '../limit/limit-caller.ts'
import { accept, TIMEOUT_HEADER, type Result, type SubjectToken } from '../protocol/index.ts'
import type { Principal } from '../principal.ts'
import type { Refusal } from '../refusal.ts'
import type { LimitStores } from '../token-limit/limit-stores.ts'
import type { Authenticated } from '../verify/authenticator.ts'
import {
  createCallerVerifier,
  createHeaderLookup,
  type AgentContextRequest,
  type CallerRefusal,
  type CallerVerifierOptions,
} from './caller-verifier.ts'
import type { CallDeadlines, ReadDeadline } from './call-deadline.ts'
import type { ObserveCall } from './observe-call.ts'
import type { OpenStreams } from './open-streams.ts'
import { shareWatch } from './share-watch.ts'
import { readCallTrace } from './trace-id.ts'
import type { WatchEnd } from './until-end.ts'

export type AgentTransport = 'http' | 'websocket'

/** What every procedure of an agent starts from. Handlers get `principal` beside it. */
export type AgentContext = {
  readonly transport: AgentTransport
  /** Names this request (HTTP) or connection (WebSocket) in answers and logs. */
  readonly correlationId: string
  /** The caller's trace (W3C Trace Context); one that begins here when it sent none. 32 hexadecimal digits. */
  readonly traceId: string
  /** The header with which further calls go on in the trace: as the caller sent it. */
  readonly traceparent?: string | undefined
  /** Says who is calling. On HTTP verified once however many calls are in the batch. */
  authenticate(): Promise<Result<Principal, CallerRefusal>>
  /**
   * Calls back, once, when the authority of the caller that was authenticated ends; the function that it
   * returns ends the watch. On a connection, `readmit` is asked when the caller presents another token.
   */
  readonly watch: WatchEnd
  /**
   * Whose the connection is now, or why it is nobody's any more: a call that waited to be admitted is held to it.
   * On a connection only; `undefined` before anybody was authenticated.
   */
  readonly findHolder?: (() => Result<Principal, Refusal> | undefined) | undefined
  /** What the caller that was authenticated presented; `undefined` for an API key. */
  getSubjectToken(): SubjectToken | undefined
  /** The nonce for the next proof of a caller whose token is bound to a key (RFC 9449 §8.2). Over HTTP only. */
  readonly getDpopNonce?: (() => string | undefined) | undefined
  /** Until when the caller waits; `undefined` where the agent knows no deadlines. */
  readonly deadline?: ReadDeadline | undefined
  /** Aborts tRPC's own `signal` of the request or the call. */
  readonly abort?: ((reason: Error) => void) | undefined
  /** Told of each call, for logs and for a drain that waits until the last one is answered. */
  readonly observeCall: ObserveCall | undefined
  /** Counts a call of this caller; refuses when there were too many. */
  limit(principal: Principal): Promise<Result<RateLimitState | undefined, RateLimitRefusal>>
  /** Where what is used of limits is kept; without it a credential that needs it is refused. */
  readonly limitStores: LimitStores | undefined
  /** What was counted so far in this request, for the `RateLimit` header. */
  readonly rateLimits: readonly RateLimitState[]
  /** Where calls under way are counted, whatever they come by. */
  readonly callsUnderWay?: CallerCount | undefined
  /** Where streams are counted. A connection counts its own. */
  readonly openStreams?: OpenStreams | undefined
  /** Whether the caller takes an answer in parts, as they come (JSONL). Default: no. */
  readonly takesParts?: boolean | undefined
}

export type AgentContextOptions = CallerVerifierOptions & {
  /** How long calls over HTTP may take. Default: as long as they like. */
  readonly deadlines?: CallDeadlines | undefined
  readonly observeCall?: ObserveCall | undefined
  /** Counts the calls of each caller. Default: no limit. */
  readonly limitCaller?: LimitCaller | undefined
  /** Where what is used of a credential's limits is kept. Default: nowhere, see `LimitStores`. */
  readonly limitStores?: LimitStores | undefined
  /** Counts the calls that each agent has under way. Default: no limit. */
  readonly callsUnderWay?: CallerCount | undefined
  /** Counts streams, and ends them when the agent shuts down. Default: no limit. */
  readonly openStreams?: OpenStreams | undefined
  /** Makes correlation ids. Default: random UUIDs. */
  readonly createCorrelationId?: (() => string) | undefined
}

/**
 * Creates tRPC's `createContext` for HTTP, where the request's headers say who is calling. For a WebSocket
 * there is `createConnectionContext`.
 */
export function createAgentContext(
  options: AgentContextOptions,
): (request: AgentContextRequest) => AgentContext {
  const { limitCaller } = options
  const createCorrelationId = options.createCorrelationId ?? (() => crypto.randomUUID())

  return (request) => {
    const verify = createCallerVerifier(options, request)
    // Attack prevented: tokens in URLs, which end up in logs. Over HTTP that is where tRPC has connection parameters.
    const header = createHeaderLookup({ req: request.req })
    let caller: Authenticated | undefined
    let verified: Promise<Result<Principal, CallerRefusal>> | undefined
    const rateLimits: RateLimitState[] = []

    const watch: WatchEnd = (onEnd) => caller?.watch(onEnd) ?? (() => undefined)

    async function authenticate(): Promise<Result<Principal, CallerRefusal>> {
      const authenticated = await verify(header)
      if (!authenticated.ok) return authenticated
      caller = authenticated.value
      return accept(caller.principal)
    }

    const correlationId = createCorrelationId()
    return {
      transport: 'http',
      correlationId,
      ...readCallTrace(header('traceparent'), correlationId),
      deadline: options.deadlines?.fromHeader(header(TIMEOUT_HEADER)),
      abort: request.abort,
      observeCall: options.observeCall,
      limitStores: options.limitStores,
      callsUnderWay: options.callsUnderWay,
      openStreams: options.openStreams,
      takesParts: request.info?.accept === 'application/jsonl',
      rateLimits,
      async limit(principal) {
        const counted = await limitCaller?.(principal)
        const state = counted?.ok === false ? counted.refusal.state : counted?.value
        if (state !== undefined) rateLimits.push(state)
        return counted ?? accept(undefined)
      },
      getSubjectToken: () => caller?.subjectToken,
      getDpopNonce: () =>
        caller?.principal.confirmation && options.authenticator.binding?.issueNonce(),
      watch: request.info?.isBatchCall === true ? shareWatch(watch) : watch,
      authenticate: async () => (verified ??= authenticate()),
    }
  }
}
