// What an agent says of itself (RFC 9728): who may give tokens for it, and what it is called there.
import { parseSecureUrl, systemClock, timeoutSignal, type Clock } from '@deputy/auth/protocol'
import * as oauth from 'oauth4webapi'
import type { DiscoveredAgent } from '../authorization.ts'
import { ClientError } from '../error/client-error.ts'
import { assertPublicHost, createPublicFetch } from './public-hosts.ts'

export type DiscoverAgentOptions = {
  readonly fetch?: typeof fetch | undefined
  /** Refuses an agent, or an issuer that it names, on a private address. Default `false`. */
  readonly refusePrivateAddresses?: boolean | undefined
  /** Default 10,000 ms. */
  readonly timeoutMs?: number | undefined
  readonly clock?: Clock | undefined
}

/**
 * Asks the agent at this URL. Rejects with `ClientError` (`discovery_failed`) where it does not answer, is
 * redirected, or says that it is another one.
 *
 * > The resource value returned MUST be identical to the protected resource's resource identifier value
 * > into which the well-known URI path suffix was inserted (RFC 9728 §3.3)
 */
export async function discoverAgent(
  url: string,
  options: DiscoverAgentOptions = {},
): Promise<DiscoveredAgent> {
  const agent = parseSecureUrl(url, 'url')
  const fetchWith = options.fetch ?? fetch
  const guarded = options.refusePrivateAddresses === true ? createPublicFetch(fetchWith) : fetchWith
  try {
    const response = await oauth.resourceDiscoveryRequest(agent, {
      signal: timeoutSignal(options.clock ?? systemClock, options.timeoutMs ?? 10_000),
      [oauth.allowInsecureRequests]: agent.protocol === 'http:',
      [oauth.customFetch]: async (input, { body: _none, ...init }) =>
        guarded(input, { ...init, redirect: 'manual' }),
    })
    const server = await oauth.processResourceDiscoveryResponse(agent, response)
    const issuers = readTexts(server.authorization_servers)
    for (const issuer of issuers) {
      parseSecureUrl(issuer, 'authorization_servers')
      if (options.refusePrivateAddresses === true) assertPublicHost(issuer)
    }
    return { resource: server.resource, issuers, scopes: readTexts(server.scopes_supported) }
  } catch (error) {
    if (error instanceof ClientError) throw error
    const reason = error instanceof Error ? error.message : 'the request failed'
    throw new ClientError({
      code: 'discovery_failed',
      message: `${agent.href} does not say who gives tokens for it: ${reason}`,
      hint: 'Check the URL: it must be the one that the agent is known by. Or name its audience.',
      cause: error instanceof TypeError ? error.cause : undefined,
    })
  }
}

function readTexts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
