// Asks the authorization server about a token or a key (RFC 7662). A port with two adapters: this
// one over HTTP, for agents; the authorization server answers from its own store.
import {
  accept,
  IntrospectionResponse,
  refuse,
  systemClock,
  timeoutSignal,
  type Result,
} from '../protocol/index.ts'
import type { CredentialRefusal } from '../refusal.ts'
import { toBasicAuthorization } from './basic-authorization.ts'
import {
  createIssuerDiscovery,
  DEFAULT_ISSUER_TIMEOUT_MS,
  type IssuerDiscoveryOptions,
} from './issuer-discovery.ts'
import { createIssuerRequests, READ_RARELY, readDocument } from './issuer-request.ts'

/** Answers what the authorization server knows of a token or key; refuses with `verifier_unavailable` only. */
export type Introspect = (
  token: string,
) => Promise<
  Result<IntrospectionResponse, CredentialRefusal & { readonly reason: 'verifier_unavailable' }>
>

export type HttpIntrospectOptions = IssuerDiscoveryOptions & {
  readonly issuer: string
  /** This agent's own client id and secret: the endpoint answers authenticated agents only. */
  readonly clientId: string
  readonly clientSecret: string
}

/** Creates an introspection over HTTP. The endpoint is found in the issuer's metadata on first use. */
export function createHttpIntrospect(options: HttpIntrospectOptions): Introspect {
  const { clientId, clientSecret, clock = systemClock, issuer } = options
  const send = createIssuerRequests(options.fetch)
  const timeoutMs = options.timeoutMs ?? DEFAULT_ISSUER_TIMEOUT_MS
  const authorization = toBasicAuthorization(clientId, clientSecret)
  const discover = createIssuerDiscovery(issuer, options)

  return async (token) => {
    try {
      const { introspection_endpoint: endpoint } = await discover()
      if (endpoint === undefined) throw new Error(`${issuer} does not introspect`)
      const answer = await send(endpoint, {
        signal: timeoutSignal(clock, timeoutMs),
        headers: { authorization, accept: 'application/json' },
        form: { token },
      })
      return accept(
        IntrospectionResponse.parse(await readDocument(answer, 'introspection'), READ_RARELY),
      )
    } catch (error) {
      const detail = error instanceof Error ? error.message : 'introspection failed'
      return refuse({ reason: 'verifier_unavailable', detail })
    }
  }
}
