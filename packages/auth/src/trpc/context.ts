// The tRPC context of an agent: who is calling, asked lazily and per call, so that a refusal belongs
// to the call (with its path) and a connection that outlives its credential is noticed.
import type { TRPCRequestInfo } from '@trpc/server/http'
import type { Result } from '../protocol/index.ts'
import type { Principal } from '../principal.ts'
import type { CredentialRefusal } from '../refusal.ts'
import type { Authenticator } from '../verify/authenticator.ts'
import type { HeaderLookup } from '../verify/credential.ts'
import type { RequestTarget } from '../verify/token-binding.ts'
import type { ObserveCall } from './observe-call.ts'

export type AgentTransport = 'http' | 'websocket'

/** What every procedure of an agent starts from. Handlers get `principal` beside it. */
export type AgentContext = {
  readonly transport: AgentTransport
  /** Names this request (HTTP) or connection (WebSocket) in answers and logs. */
  readonly correlationId: string
  /** Says who is calling. On HTTP verified once however many calls are in the batch. */
  authenticate(): Promise<Result<Principal, CredentialRefusal>>
  /** Told of each call, for logs and for a drain that waits until the last one is answered. */
  readonly observeCall: ObserveCall | undefined
}

/** The part of a request that is looked at: structural, so that any adapter of tRPC fits. */
export type AgentContextRequest = {
  readonly req: {
    readonly method?: string | undefined
    readonly url?: string | undefined
    readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  }
  readonly info?: Pick<TRPCRequestInfo, 'connectionParams'> | undefined
}

export type AgentContextOptions = {
  readonly authenticator: Authenticator
  readonly transport: AgentTransport
  readonly observeCall?: ObserveCall | undefined
  /** Where callers reach the agent, without a slash at the end. Without it no bound token is taken. */
  readonly publicUrl?: (() => string) | undefined
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
  const { authenticator, transport } = options
  const createCorrelationId = options.createCorrelationId ?? (() => crypto.randomUUID())

  return ({ info, req }) => {
    const parameters = info?.connectionParams
    const header: HeaderLookup = (name) => {
      if (parameters) return parameters[name]
      const value = req.headers[name]
      return typeof value === 'string' ? value : value?.join(', ')
    }
    const target = readTarget(req, options.publicUrl)
    const first = once(async () => authenticator.authenticate(header, target))
    return {
      transport,
      correlationId: createCorrelationId(),
      observeCall: options.observeCall,
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

/** Attack prevented: a request line or a `Host` of the caller's choice, to make a proof for another agent fit. */
function readTarget(
  { method, url }: AgentContextRequest['req'],
  publicUrl: (() => string) | undefined,
): RequestTarget | undefined {
  if (publicUrl === undefined || method === undefined) return undefined
  if (url === undefined || !url.startsWith('/')) return undefined
  return { method, url: publicUrl() + url }
}

/** Runs the work on the first call only; all callers share its promise. */
function once<Value>(work: () => Promise<Value>): () => Promise<Value> {
  let promise: Promise<Value> | undefined
  return async () => (promise ??= work())
}
