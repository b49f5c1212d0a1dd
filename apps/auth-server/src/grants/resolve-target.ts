// Decides for which agent a token will be and what it may do there: never more than the client may
// ever hold, never a scope that the target does not know.
import {
  accept,
  findMissingScopes,
  formatScope,
  refuse,
  type OAuthErrorCode,
  type Result,
} from '@deputy/auth/protocol'
import { findAllowedScopes, findHandedOnScopes, isVisible, type Client } from '../agents/agent.ts'
import { normalizeResourceUrl } from '../agents/resource-url.ts'

export type TargetRequest = {
  readonly client: Client
  /** The agents that the client may call; others among them are left out of the choice. */
  readonly targets: readonly Client[]
  /** `audience` of the request: an agent's id. */
  readonly audience: string | undefined
  /** `resource` of the request: an agent's URL (RFC 8707 §2). */
  readonly resource?: string | undefined
  /** `scope` of the request; `undefined` asks for everything that the client may do there. */
  readonly scopes: readonly string[] | undefined
}

export type Target = { readonly agent: Client; readonly scopes: readonly string[] }

export type TargetRefusal = { readonly code: OAuthErrorCode; readonly message: string }

/** Chooses the target, or says why there is none. Pure. */
export function resolveTarget(request: TargetRequest): Result<Target, TargetRefusal> {
  const { client, scopes } = request
  const target = chooseTarget(request)
  if (!target.ok) return target
  const allowed = findAllowedScopes(client, target.value)
  const wanted = scopes ?? allowed
  const reach = [...allowed, ...findHandedOnScopes(client, target.value)]
  const refused = findMissingScopes(wanted, reach)
  const at = target.value.id
  if (refused.length > 0 && client.scopePolicy === 'exact') {
    const message = `${client.id} may not have this at ${at}: ${formatScope(refused)}`
    return refuse({ code: 'invalid_scope', message })
  }
  // > If the issued access token scope is different from the one requested by the client, the
  // > authorization server MUST include the "scope" response parameter (RFC 6749 §3.3): it always is.
  const granted = wanted.filter((scope) => reach.includes(scope))
  // Attack prevented: nothing left must never come to mean everything.
  if (granted.length === 0) {
    const what = refused.length === 0 ? 'any scope' : `any of: ${formatScope(refused)}`
    return refuse({ code: 'invalid_scope', message: `${client.id} may not have ${what} at ${at}` })
  }
  return accept({ agent: target.value, scopes: granted })
}

/** Finds the one agent that is meant, of those that the client may call. Pure. */
export function chooseTarget(request: TargetRequest): Result<Client, TargetRefusal> {
  const { audience, client, resource } = request
  const targets = request.targets.filter(
    (target) =>
      target.state === 'active' &&
      client.audiences.includes(target.id) &&
      isVisible(client, target),
  )
  if (audience === undefined && resource === undefined) return inferAgent(request, targets)
  const url = resource === undefined ? undefined : readResource(resource)
  if (resource !== undefined && url === undefined) {
    const message = 'resource must be an absolute URI without a fragment (RFC 8707 §2)'
    return refuse({ code: 'invalid_target', message })
  }
  const named = targets.filter(
    (target) =>
      (audience === undefined || target.id === audience) &&
      (url === undefined || target.url === url),
  )
  const [only, ...others] = named
  if (only !== undefined && others.length === 0) return accept(only)
  const what = resource === undefined ? 'audience' : 'resource'
  const message = `${client.id} may not have a token for this ${what}, or there is no such agent`
  return refuse({ code: 'invalid_target', message })
}

function readResource(resource: string): string | undefined {
  if (resource.includes('#') || !/^https?:/i.test(resource)) return undefined
  return URL.canParse(resource) ? normalizeResourceUrl(resource) : undefined
}

// > If the request does not include a "resource" parameter, the authorization server MUST use a
// > default resource indicator […]. If a "scope" parameter is present in the request, the
// > authorization server SHOULD use it to infer the value of the default resource indicator
// (RFC 9068 §3)
function inferAgent(
  { client, scopes }: TargetRequest,
  targets: readonly Client[],
): Result<Client, TargetRefusal> {
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
