// The tRPC context of an agent: who is calling, asked lazily and per call, so that a refusal belongs
// to the call (with its path) and a connection that outlives its credential is noticed.
import type { TRPCRequestInfo } from '@trpc/server/http'
import type { FailureGuard } from '../limit/failure-guard.ts'
import type { LimitCaller } from '../limit/limit-caller.ts'
import type { RateLimitRefusal, RateLimitState } from '../limit/rate-limit.ts'
import { accept, readTraceId, refuse, type Result, type SubjectToken } from '../protocol/index.ts'
import type { Principal } from '../principal.ts'
import type { CredentialRefusal } from '../refusal.ts'
import type { LimitStores } from '../token-limit/limit-stores.ts'
import type { Authenticated, Authenticator } from '../verify/authenticator.ts'
import type { HeaderLookup } from '../verify/credential.ts'
import type { RequestTarget } from '../verify/token-binding.ts'
import type { ObserveCall } from './observe-call.ts'

export type AgentTransport = 'http' | 'websocket'

/** What every procedure of an agent starts from. Handlers get `principal` beside it. */
export type AgentContext = {
  readonly transport: AgentTransport
  /** Names this request (HTTP) or connection (WebSocket) in answers and logs. */
  readonly correlationId: string
  /** The caller's trace (W3C Trace Context); one that begins here when it sent none. 32 hexadecimal digits. */
  readonly traceId: string
  /** Says who is calling. On HTTP verified once however many calls are in the batch. */
  authenticate(): Promise<Result<Principal, CredentialRefusal | RateLimitRefusal>>
  /**
   * Calls back, once, when the authority of the caller that was authenticated ends; the function that it
   * returns ends the watch.
   */
  watch(onEnd: (refusal: CredentialRefusal) => void): () => void
  /** What the caller that was authenticated presented; `undefined` for an API key. */
  getSubjectToken(): SubjectToken | undefined
  /** Told of each call, for logs and for a drain that waits until the last one is answered. */
  readonly observeCall: ObserveCall | undefined
  /** Counts a call of this caller; refuses when there were too many. */
  limit(principal: Principal): Promise<Result<RateLimitState | undefined, RateLimitRefusal>>
  /** Where what is used of limits is kept; without it a credential that needs it is refused. */
  readonly limitStores: LimitStores | undefined
  /** What was counted so far in this request, for the `RateLimit` header. */
  readonly rateLimits: readonly RateLimitState[]
}

/** The part of a request that is looked at: structural, so that any adapter of tRPC fits. */
export type AgentContextRequest = {
  readonly req: {
    readonly method?: string | undefined
    readonly url?: string | undefined
    readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
    readonly socket?: { readonly remoteAddress?: string | undefined } | undefined
  }
  readonly info?: Pick<TRPCRequestInfo, 'connectionParams'> | undefined
}

export type AgentContextOptions = {
  readonly authenticator: Authenticator
  readonly transport: AgentTransport
  readonly observeCall?: ObserveCall | undefined
  /** Where callers reach the agent, without a slash at the end. Without it no bound token is taken. */
  readonly publicUrl?: (() => string) | undefined
  /** Counts the calls of each caller. Default: no limit. */
  readonly limitCaller?: LimitCaller | undefined
  /** Where what is used of a credential's limits is kept. Default: nowhere, see `LimitStores`. */
  readonly limitStores?: LimitStores | undefined
  /** Slows down an address that fails to authenticate again and again. Default: none. */
  readonly failureGuard?: FailureGuard | undefined
  /** Makes correlation ids. Default: random UUIDs. */
  readonly createCorrelationId?: (() => string) | undefined
}

/**
 * Creates tRPC's `createContext` for one transport. HTTP reads the request's headers; WebSocket reads
 * `connectionParams`, which use the same names (`authorization`, `x-api-key`, `dpop`), or else the
 * headers of the upgrade request: a proof for a WebSocket is made for GET and the endpoint's http(s) URL.
 */
export function createAgentContext(
  options: AgentContextOptions,
): (request: AgentContextRequest) => AgentContext {
  const { authenticator, failureGuard, limitCaller, transport } = options
  const createCorrelationId = options.createCorrelationId ?? (() => crypto.randomUUID())

  return ({ info, req }) => {
    const parameters = info?.connectionParams
    const read = (name: string): string | undefined => {
      if (parameters) return parameters[name]
      const value = req.headers[name]
      return typeof value === 'string' ? value : value?.join(', ')
    }
    const header: HeaderLookup = read
    const target = readTarget(req, options.publicUrl)
    let caller: Authenticated | undefined
    const first = once(async () => {
      const authenticated = await authenticator.authenticate(header, target)
      if (authenticated.ok) caller = authenticated.value
      if (authenticated.ok || !isFailure(authenticated.refusal)) return authenticated
      const address = req.socket?.remoteAddress ?? 'unknown'
      const refusal = await failureGuard?.({ clientId: undefined, address })
      return refusal === undefined ? authenticated : refuse(refusal)
    })
    const rateLimits: RateLimitState[] = []
    const correlationId = createCorrelationId()
    return {
      rateLimits,
      limitStores: options.limitStores,
      async limit(principal) {
        const counted = await limitCaller?.(principal)
        const state = counted?.ok === false ? counted.refusal.state : counted?.value
        // A connection has no headers to put them in, and would collect them for ever.
        if (state !== undefined && transport === 'http') rateLimits.push(state)
        return counted ?? accept(undefined)
      },
      transport,
      correlationId,
      traceId: readTraceId(read('traceparent')) ?? toTraceId(correlationId),
      observeCall: options.observeCall,
      getSubjectToken: () => caller?.subjectToken,
      watch: (onEnd) => caller?.watch(onEnd) ?? (() => undefined),
      async authenticate() {
        const authenticated = await first()
        if (!authenticated.ok) return authenticated
        return transport === 'http'
          ? { ok: true, value: authenticated.value.principal }
          : authenticated.value.recheck()
      },
    }
  }
}

/**
 * > If the vendor failed to parse traceparent […] the vendor creates a new traceparent header (W3C Trace Context §4.3).
 * The id of a new trace is that of the request, so that the two are found by one another.
 */
function toTraceId(correlationId: string): string {
  const digits = correlationId.replaceAll('-', '').toLowerCase()
  return /^[0-9a-f]{32}$/.test(digits) ? digits : crypto.randomUUID().replaceAll('-', '')
}

const NO_FAILURES: ReadonlySet<CredentialRefusal['reason']> = new Set([
  'credentials_missing',
  'dpop_nonce_required',
  'verifier_unavailable',
])

/** Attack prevented: a request line or a `Host` of the caller's choice, to make a proof for another agent fit. */
function readTarget(
  { method, url }: AgentContextRequest['req'],
  publicUrl: (() => string) | undefined,
): RequestTarget | undefined {
  if (publicUrl === undefined || method === undefined) return undefined
  if (url === undefined || !url.startsWith('/')) return undefined
  return { method, url: publicUrl() + url }
}

/** Whether the caller is at fault: not when it sent nothing or has yet to learn a nonce, and not when nobody could be asked. */
function isFailure({ reason }: CredentialRefusal): boolean {
  return !NO_FAILURES.has(reason)
}

/** Runs the work on the first call only; all callers share its promise. */
function once<Value>(work: () => Promise<Value>): () => Promise<Value> {
  let promise: Promise<Value> | undefined
  return async () => (promise ??= work())
}
