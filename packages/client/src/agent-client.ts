import { parseSecureUrl } from '@deputy/auth/protocol'
import { createTRPCClient, type TRPCClient } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { createAuthLink } from './auth-link.ts'
import type { AuthorizationTarget, Credentials } from './authorization.ts'
import { createHttpTransport } from './http-link.ts'
import { createTimeoutLink } from './timeout-link.ts'
import { createWebSocketTransport } from './websocket-link.ts'

export type AgentClientOptions = AuthorizationTarget & {
  /** The agent's base URL, like `https://billing.example`; its procedures are below `/trpc`. */
  readonly url: string
  readonly credentials: Credentials
  /** Default: `http`, where calls of the same moment share a request. */
  readonly transport?: 'http' | 'websocket' | undefined
  /** How long a query or a mutation may take, getting a token included. Default 30,000 ms. */
  readonly timeoutMs?: number | undefined
  readonly fetch?: typeof fetch | undefined
}

/** tRPC's typed client of an agent's router. Dispose of it to close its connections. */
export type AgentClient<Router extends AnyTRPCRouter> = TRPCClient<Router> & AsyncDisposable

/**
 * Creates a typed client whose every call is authorized. Nothing is sent before the first call.
 * Calls reject with tRPC's `TRPCClientError`; `toClientError` turns one into what a program can
 * decide by. Throws `TypeError` at once for a URL that is not https, or
 * http on this machine: the token would travel in clear.
 */
export function createAgentClient<Router extends AnyTRPCRouter>(
  options: AgentClientOptions,
): AgentClient<Router> {
  const { audience, credentials, scopes } = options
  const endpoint = toEndpoint(options.url)
  const transport =
    options.transport === 'websocket'
      ? createWebSocketTransport<Router>(endpoint.replace(/^http/, 'ws'))
      : createHttpTransport<Router>(endpoint, options.fetch)
  const client = createTRPCClient<Router>({
    links: [
      createTimeoutLink(options.timeoutMs ?? 30_000),
      createAuthLink(credentials({ audience, scopes })),
      transport.link,
    ],
  })
  // A symbol cannot be the name of a procedure, so closing needs no name that a router could want.
  const close = async (): Promise<void> => transport.close()
  const get = (target: typeof client, key: string | symbol): unknown =>
    key === Symbol.asyncDispose ? close : Reflect.get(target, key)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the proxy adds what the type adds
  return new Proxy(client, { get }) as AgentClient<Router>
}

function toEndpoint(url: string): string {
  const { origin, pathname } = parseSecureUrl(url, 'url')
  return `${origin}${pathname.replace(/\/$/, '')}/trpc`
}
