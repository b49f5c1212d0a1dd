import { parseSecureUrl, type AgentContract } from '@deputy/auth/protocol'
import { createTRPCClient, type TRPCClient } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import type { RouterScope, ScopedClient } from './agent-contract.ts'
import type { Credentials } from './authorization.ts'
import { createCallLinks, type CallPolicies } from './call-links.ts'
import { discoverAgent } from './discovery/discover-agent.ts'
import type { FetchLike } from './fetch-like.ts'
import { createHttpTransport } from './http-link.ts'
import { readScope, type CallScope } from './links/call-scope.ts'
import { createEndLink } from './links/end-link.ts'
import { once } from './once.ts'
import { createWebSocketTransport } from './websocket-link.ts'

export type AgentClientOptions = CallPolicies & {
  /** The agent's base URL, like `https://billing.example`; its procedures are below `/trpc`. */
  readonly url: string
  readonly credentials: Credentials
  /**
   * The id of the agent: the `audience` of the tokens. Left out, the agent is asked what it is called and
   * whose tokens it takes (RFC 9728): `url` alone is enough then.
   */
  readonly audience?: string | undefined
  /** What the calls need. Default: everything that this caller may do there. */
  readonly scopes?: readonly string[] | undefined
  /** What all calls of the client are made for, a handler's `ctx`: they end with it, have no more time, and are in its trace. */
  readonly within?: CallScope | undefined
  /** Default: `http`, where calls of the same moment share a request. */
  readonly transport?: 'http' | 'websocket' | undefined
  /** What calls are sent with over HTTP. Default: the global `fetch`. */
  readonly fetch?: FetchLike | undefined
  /** What calls are sent with over WebSocket. Default: the global `WebSocket`. */
  readonly WebSocket?: typeof WebSocket | undefined
  /** What the agent is asked with where `audience` is left out. Default: the global `fetch`. */
  readonly discovery?: DiscoveryOptions | undefined
}

export type DiscoveryOptions = {
  readonly fetch?: typeof fetch | undefined
  /** Refuses an agent, or an issuer that it names, on a private address. Default `false`. */
  readonly refusePrivateAddresses?: boolean | undefined
}

/** tRPC's typed client of an agent's router. Dispose of it to close its connections. */
export type AgentClient<Router extends AnyTRPCRouter> = TRPCClient<Router> & AsyncDisposable

/** A client of a contract: procedures that need other scopes are not there. */
export type ContractClient<Router extends AnyTRPCRouter, Scope extends string> = ScopedClient<
  Router,
  Scope
> &
  AsyncDisposable

/**
 * The contract says who is called and which scopes there are. With `scopes`, one token has them all, and
 * calling a procedure that needs another one does not compile; without, each call has a token with exactly
 * the scopes of its procedure.
 */
export type ContractClientOptions<Scope extends string> = Omit<AgentClientOptions, 'scopes'> & {
  readonly scopes?: readonly Scope[] | undefined
}

/**
 * Creates a typed client whose every call is authorized. Nothing is sent before the first call.
 * Calls reject with `ClientError`, which is a `TRPCClientError` too. Throws `TypeError` at once for a URL
 * that is not https, or http on this machine: the token would travel in clear.
 */
export function createAgentClient<Router extends AnyTRPCRouter>(
  options: AgentClientOptions,
): AgentClient<Router>
export function createAgentClient<
  Router extends AnyTRPCRouter,
  const Scope extends RouterScope<Router> = RouterScope<Router>,
>(
  contract: AgentContract<Router>,
  options: ContractClientOptions<Scope>,
): ContractClient<Router, Scope>
export function createAgentClient<Router extends AnyTRPCRouter>(
  first: AgentClientOptions | AgentContract<Router>,
  second?: ContractClientOptions<string>,
): AsyncDisposable {
  return 'procedures' in first
    ? openClient<Router>(requireOptions(second), first)
    : openClient<Router>(first)
}

function openClient<Router extends AnyTRPCRouter>(
  options: AgentClientOptions,
  contract?: AgentContract<Router>,
): AgentClient<Router> {
  const endpoint = toEndpoint(options.url)
  const transport =
    options.transport === 'websocket'
      ? createWebSocketTransport<Router>(endpoint, options.WebSocket)
      : createHttpTransport<Router>(endpoint, options.fetch)
  const discover = once(async () =>
    discoverAgent(options.url, { clock: options.clock, ...options.discovery }),
  )
  const links = createCallLinks<Router>({
    ...options,
    ...readScope(options.within),
    contract,
    target: { audience: options.audience ?? contract?.agentId, scopes: options.scopes, discover },
  })
  const subscriptions = createEndLink<Router>()
  const client = createTRPCClient<Router>({
    links: [subscriptions.link, ...links, transport.link],
  })
  return withDispose(client, async () => {
    subscriptions.endAll()
    await transport.close()
  })
}

/** A symbol cannot be the name of a procedure, so closing needs no name that a router could want. */
export function withDispose<Client extends object>(
  client: Client,
  close: () => Promise<void>,
): Client & AsyncDisposable {
  const get = (target: Client, key: string | symbol): unknown =>
    key === Symbol.asyncDispose ? close : Reflect.get(target, key)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the proxy adds what the type adds
  return new Proxy(client, { get }) as Client & AsyncDisposable
}

/** Reads the URL of an agent's tRPC endpoint. Throws `TypeError` for one that tokens must not be sent to. */
export function toEndpoint(url: string): string {
  const { origin, pathname } = parseSecureUrl(url, 'url')
  return `${origin}${pathname.replace(/\/$/, '')}/trpc`
}

function requireOptions<Options>(options: Options | undefined): Options {
  if (options !== undefined) return options
  throw new TypeError('createAgentClient(contract, options) needs options: url and credentials')
}
