// What the grants have in common: parameters of a token request, read or refused.
import { parseScope } from '@deputy/auth/protocol'
import { createHash } from 'node:crypto'
import type { Client } from '../agents/agent.ts'
import type { ClientDirectory } from '../clients/client-directory.ts'
import type { FormBody } from '../endpoints/form-body.ts'
import { OAuthError } from '../oauth-error.ts'
import { parseAuthorizationDetails, type AuthorizationDetail } from './authorization-details.ts'

/** `scope`, or `undefined` where it was left out. */
export function readScopes(body: FormBody): readonly string[] | undefined {
  const value = body.get('scope')
  if (value === undefined) return undefined
  const scopes = parseScope(value)
  if (scopes.ok) return scopes.value
  throw new OAuthError({ code: 'invalid_scope', message: scopes.refusal.detail })
}

/** `authorization_details`; none where it was left out. */
export function readDetails(body: FormBody): readonly AuthorizationDetail[] {
  const read = parseAuthorizationDetails(body.get('authorization_details'))
  if (read.ok) return read.value
  throw new OAuthError(read.refusal)
}

/** The agents among which the target is chosen: the one that is named is all that has to be looked up. */
export async function findTargets(
  clients: Pick<ClientDirectory, 'find' | 'findMany'>,
  client: Client,
  audience: string | undefined,
): Promise<readonly Client[]> {
  if (audience === undefined) return clients.findMany(client.audiences)
  const named = await clients.find(audience)
  return named === undefined ? [] : [named]
}

/** `may_act`: an agent that the client names, and may hand its work on to (RFC 8693 §4.4). */
export function readMayAct(body: FormBody, client: Client): string | undefined {
  const id = body.get('may_act')
  if (id === undefined || client.delegation.to.includes(id)) return id
  throw new OAuthError({
    code: 'invalid_request',
    message: `${client.id} may not hand its work on to the agent that may_act names`,
    reason: 'not_handed_on',
  })
}

/** The id that a grant path begins with. Keys that a client publishes itself have names of its choice. */
export function toPathRoot({ id }: Client, credentialId: string): string {
  if (!credentialId.startsWith('jwks_uri#')) return credentialId
  return createHash('sha256').update(`${id} ${credentialId}`).digest('base64url')
}
