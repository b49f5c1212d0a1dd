// The client credentials grant (RFC 6749 §4.4): an authenticated client gets a token in its own name.
import { parseScope } from '@deputy/auth/protocol'
import type { Agent } from '../agents/agent.ts'
import type { AgentStore } from '../agents/agent-store.ts'
import type { FormBody } from '../endpoints/form-body.ts'
import { OAuthError } from '../oauth-error.ts'
import type { IssueAccessToken, IssuedTokenResponse } from '../tokens/issue-access-token.ts'
import { resolveTarget } from './resolve-target.ts'

export type ClientCredentialsOptions = {
  readonly agents: AgentStore
  readonly issueAccessToken: IssueAccessToken
}

/** Carries out the grant. Rejects with `OAuthError`. */
export type ClientCredentialsGrant = (client: Agent, body: FormBody) => Promise<IssuedTokenResponse>

/** Creates the grant. */
export function createClientCredentialsGrant(
  options: ClientCredentialsOptions,
): ClientCredentialsGrant {
  const { agents, issueAccessToken } = options

  return async (client, body) => {
    if (body.has('resource')) {
      // Ignoring it would hand out a token for another target than the one that was meant.
      throw new OAuthError({
        code: 'invalid_target',
        message: 'resource is not supported: name the agent as audience=<id>',
      })
    }
    const found = await Promise.all(client.audiences.map(async (id) => agents.find(id)))
    const target = resolveTarget({
      client,
      targets: found
        .filter((agent) => agent !== undefined)
        .filter(({ state }) => state === 'active'),
      audience: body.get('audience'),
      scopes: readScopes(body.get('scope')),
    })
    if (!target.ok) throw new OAuthError(target.refusal)
    const { response } = await issueAccessToken({
      agent: client,
      audience: target.value.audience,
      scopes: target.value.scopes,
    })
    return response
  }
}

function readScopes(value: string | undefined): readonly string[] | undefined {
  if (value === undefined) return undefined
  const scopes = parseScope(value)
  if (scopes.ok) return scopes.value
  throw new OAuthError({ code: 'invalid_scope', message: scopes.refusal.detail })
}
