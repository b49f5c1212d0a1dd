// The client credentials grant (RFC 6749 §4.4): an authenticated client gets a token in its own name.
import { parseScope } from '@deputy/auth/protocol'
import type { ClientDirectory } from '../clients/client-directory.ts'
import { OAuthError } from '../oauth-error.ts'
import { readAuthorizationDetails } from './authorization-details.ts'
import type { GrantType } from './grant.ts'
import { resolveTarget } from './resolve-target.ts'

/** Creates the grant. */
export function createClientCredentialsGrant(
  clients: Pick<ClientDirectory, 'find' | 'findMany'>,
): GrantType {
  return async ({ body, client }) => {
    const audience = body.get('audience')
    const scopes = readScopes(body.get('scope'))
    const resource = body.get('resource')
    // The one that is named is all that has to be looked up.
    const targets =
      audience === undefined
        ? await clients.findMany(client.audiences)
        : [await clients.find(audience)].filter((agent) => agent !== undefined)
    const target = resolveTarget({ client, targets, audience, resource, scopes })
    if (!target.ok) throw new OAuthError(target.refusal)
    const details = body.get('authorization_details')
    const read =
      details === undefined ? undefined : readAuthorizationDetails(details, target.value.agent)
    if (read?.ok === false) throw new OAuthError(read.refusal)
    return {
      audience: target.value.agent,
      scopes: target.value.scopes,
      authorizationDetails: read?.value,
    }
  }
}

function readScopes(value: string | undefined): readonly string[] | undefined {
  if (value === undefined) return undefined
  const scopes = parseScope(value)
  if (scopes.ok) return scopes.value
  throw new OAuthError({ code: 'invalid_scope', message: scopes.refusal.detail })
}
