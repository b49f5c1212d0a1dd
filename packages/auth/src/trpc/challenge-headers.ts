import type { TRPCError } from '@trpc/server'
import { formatChallenge } from '../challenge.ts'
import { toPublicRefusal } from '../public-refusal.ts'
import type { Refusal } from '../refusal.ts'
import { AuthError } from './auth-error.ts'

/**
 * The headers that go with an answer's errors: `WWW-Authenticate` for the refusal that matters most
 * (a credential that is not good before a scope that is missing before a limit; a batch may hold all), and
 * `Retry-After` where the credential or its limits could not be asked about or the caller calls too often.
 *
 * @param resourceMetadataUrl where the agent's protected-resource metadata is served
 */
export function createChallengeHeaders(
  errors: readonly TRPCError[],
  resourceMetadataUrl: string,
): Record<string, string> {
  const refusals = errors
    .filter((error) => error instanceof AuthError)
    .map(({ refusal }) => refusal)
    .filter(({ reason }) => !reason.startsWith('deadline_'))
  if (refusals.some(({ reason }) => UNAVAILABLE.has(reason))) {
    return { 'retry-after': '1' }
  }
  const waits = refusals.flatMap((one) => ('retryAfterSeconds' in one ? one.retryAfterSeconds : []))
  if (waits.length > 0) return { 'retry-after': String(Math.max(...waits)) }
  const refusal = refusals.find(isAboutCredential) ?? mergeScopes(refusals) ?? refusals[0]
  const challenge = refusal && formatChallenge(refusal, resourceMetadataUrl)
  return {
    ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
    ...(refusal?.reason === 'dpop_nonce_required' ? { 'dpop-nonce': refusal.nonce } : {}),
  }
}

const UNAVAILABLE: ReadonlySet<Refusal['reason']> = new Set([
  'agent_draining',
  'limit_unavailable',
  'verifier_unavailable',
])

/** Whether the credential itself is at fault, rather than what it allows. */
function isAboutCredential(refusal: Refusal): boolean {
  return toPublicRefusal(refusal).status !== 403
}

/** A batch that lacks several scopes names them all in one challenge. */
function mergeScopes(refusals: readonly Refusal[]): Refusal | undefined {
  const scopeRefusals = refusals.filter((refusal) => refusal.reason === 'scope_missing')
  const first = scopeRefusals[0]
  if (first === undefined) return undefined
  return {
    ...first,
    requiredScopes: [...new Set(scopeRefusals.flatMap((r) => r.requiredScopes))],
    missingScopes: [...new Set(scopeRefusals.flatMap((r) => r.missingScopes))],
  }
}
