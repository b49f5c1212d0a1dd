// Decides for which agent a token will be and what it may do there: never more than the client may
// ever hold, never a scope that the target does not know.
import { accept, findMissingScopes, formatScope, refuse, type Result } from '@deputy/auth/protocol'
import type { Agent } from '../agents/agent.ts'
import type { OAuthErrorCode } from '@deputy/auth/protocol'

export type TargetRequest = {
  readonly client: Agent
  /** The active agents that the client may call. */
  readonly targets: readonly Agent[]
  /** `audience` of the request. */
  readonly audience: string | undefined
  /** `scope` of the request; `undefined` asks for everything that the client may do there. */
  readonly scopes: readonly string[] | undefined
}

export type Target = { readonly audience: string; readonly scopes: readonly string[] }

export type TargetRefusal = { readonly code: OAuthErrorCode; readonly message: string }

/** Chooses the target, or says why there is none. Pure. */
export function resolveTarget(request: TargetRequest): Result<Target, TargetRefusal> {
  const { client, scopes } = request
  const target = chooseAgent(request)
  if (!target.ok) return target
  const allowed = target.value.scopesSupported.filter((scope) => client.scopes.includes(scope))
  const granted = scopes ?? allowed
  const refused = findMissingScopes(granted, allowed)
  const at = target.value.id
  if (refused.length > 0) {
    const message = `${client.id} may not have this at ${at}: ${formatScope(refused)}`
    return refuse({ code: 'invalid_scope', message })
  }
  // Attack prevented: nothing left must never come to mean everything.
  if (granted.length === 0) {
    return refuse({ code: 'invalid_scope', message: `${client.id} may have no scope at ${at}` })
  }
  return accept({ audience: at, scopes: granted })
}

function chooseAgent(request: TargetRequest): Result<Agent, TargetRefusal> {
  const { audience, client, scopes, targets } = request
  if (audience !== undefined) {
    const target = targets.find(({ id }) => id === audience)
    if (target !== undefined) return accept(target)
    const message = `${client.id} may not have a token for this audience, or there is no such agent`
    return refuse({ code: 'invalid_target', message })
  }
  // > If the request does not include a "resource" parameter, the authorization server MUST use a
  // > default resource indicator […]. If a "scope" parameter is present in the request, the
  // > authorization server SHOULD use it to infer the value of the default resource indicator
  // (RFC 9068 §3)
  const fitting = targets.filter(
    (target) =>
      scopes === undefined || findMissingScopes(scopes, target.scopesSupported).length === 0,
  )
  const [only, ...others] = fitting
  if (only !== undefined && others.length === 0) return accept(only)
  if (only === undefined && scopes !== undefined) {
    const message = `no agent that ${client.id} may call knows all of: ${formatScope(scopes)}`
    return refuse({ code: 'invalid_scope', message })
  }
  const names = targets.map(({ id }) => id).join(', ')
  return refuse({
    code: 'invalid_target',
    message: `name the agent that the token is for, as audience=<id>. ${client.id} may call: ${names || 'none'}`,
  })
}
