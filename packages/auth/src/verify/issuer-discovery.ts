import {
  AuthorizationServerMetadata,
  parseSecureUrl,
  systemClock,
  timeoutSignal,
  toAuthorizationServerMetadataUrl,
  type Clock,
} from '../protocol/index.ts'
import { createIssuerRequests, READ_RARELY, readDocument } from './issuer-request.ts'

export type IssuerDiscoveryOptions = {
  /**
   * Sends every request to the issuer. Default: Node's own HTTP client; or the platform's `fetch`, where the process has
   * used that or has set undici's global dispatcher.
   */
  readonly fetch?: typeof fetch | undefined
  /** How long the request may take. Default 5,000 ms. */
  readonly timeoutMs?: number | undefined
  /** What that goes by. Default: the machine's. */
  readonly clock?: Clock | undefined
  /** Metadata that others read too. Default: read for this one alone, with `fetch`. */
  readonly discover?: IssuerDiscovery | undefined
}

/** Answers what the issuer publishes of itself. */
export type IssuerDiscovery = () => Promise<AuthorizationServerMetadata>

/** Default for how long one request to the authorization server may take. */
export const DEFAULT_ISSUER_TIMEOUT_MS = 5000

/**
 * Creates a function that reads the issuer's metadata (RFC 8414) on first use and remembers it. One
 * request at a time however many callers; a failure is not remembered. Rejects with an `Error` that
 * says what was wrong. Throws `TypeError` at once for an issuer that is not https, or http on this
 * machine.
 */
export function createIssuerDiscovery(
  issuer: string,
  options: IssuerDiscoveryOptions = {},
): IssuerDiscovery {
  parseSecureUrl(issuer, 'issuer')
  if (options.discover !== undefined) return options.discover
  const send = createIssuerRequests(options.fetch)
  const { clock = systemClock } = options
  const timeoutMs = options.timeoutMs ?? DEFAULT_ISSUER_TIMEOUT_MS
  let known: Promise<AuthorizationServerMetadata> | undefined

  async function discover(): Promise<AuthorizationServerMetadata> {
    const answer = await send(toAuthorizationServerMetadataUrl(issuer), {
      signal: timeoutSignal(clock, timeoutMs),
      headers: { accept: 'application/json' },
    })
    const metadata = AuthorizationServerMetadata.parse(
      await readDocument(answer, `${issuer}: metadata`),
      READ_RARELY,
    )
    // > The "issuer" value returned MUST be identical to the authorization server's issuer
    // > identifier value into which the well-known URI string was inserted (RFC 8414 §3.3)
    if (metadata.issuer !== issuer) {
      throw new Error(`${issuer}: metadata names another issuer, ${metadata.issuer}`)
    }
    parseSecureUrl(metadata.jwks_uri, 'jwks_uri')
    const { introspection_endpoint: endpoint } = metadata
    if (endpoint !== undefined) parseSecureUrl(endpoint, 'introspection_endpoint')
    return metadata
  }

  return async () => {
    known ??= discover()
    const pending = known
    try {
      return await pending
    } catch (error) {
      if (known === pending) known = undefined
      throw error
    }
  }
}
