// What an agent says of itself as a protected resource (RFC 9728 §2).
import type { Authenticator, LimitStores } from '@deputy/auth'
import type { ProtectedResourceMetadata } from '@deputy/auth/protocol'
import { listProcedures } from '@deputy/auth/trpc'
import type { AnyTRPCRouter } from '@trpc/server'

export type AgentMetadataOptions = {
  readonly agentId: string
  readonly issuer: string
  readonly router: AnyTRPCRouter
  readonly authenticator: Pick<Authenticator, 'binding'>
  readonly limitStores?: LimitStores | undefined
}

/** Reads the router once; the URL is known only when the agent listens. */
export function createMetadata(
  options: AgentMetadataOptions,
): (url: string) => ProtectedResourceMetadata {
  const { agentId, issuer, limitStores, router } = options
  const procedures = listProcedures(router)
  const scopes = procedures.flatMap((procedure) => procedure.scopes)
  const limits = [
    'allowed_values',
    ...(limitStores?.callCounter === undefined ? [] : ['calls']),
    ...(limitStores?.approvals === undefined ? [] : ['approved_call']),
    ...procedures.flatMap((procedure) => procedure.limits),
  ]
  const { binding } = options.authenticator
  const dpop = binding && {
    dpop_signing_alg_values_supported: [...binding.algorithms],
    dpop_bound_access_tokens_required: binding.isRequired,
  }
  return (url) => ({
    resource: url,
    resource_name: agentId,
    authorization_servers: [issuer],
    scopes_supported: toSortedSet(scopes),
    authorization_details_types_supported: toSortedSet(limits),
    bearer_methods_supported: ['header'],
    ...dpop,
  })
}

function toSortedSet(texts: readonly string[]): string[] {
  return [...new Set(texts)].toSorted()
}
