import type { Principal } from '@deputy/auth'
import type { AccessTokenClaims, ActClaim } from '@deputy/auth/protocol'
import type { Standing } from './revocation-store.ts'

/** Where a token stands, by its claims. */
export function readStanding(claims: AccessTokenClaims): Standing {
  const { act, client_id: clientId, jti, sub } = claims
  return {
    grantIds: [...new Set([...(claims.grant_path ?? []), jti])],
    agentIds: [...new Set([clientId, sub, ...listActors(act)])],
  }
}

/** The same of a caller that was verified. */
export function findStanding(principal: Principal): Standing {
  const { agentId, credential, grantPath, priorActors, subject } = principal
  return {
    grantIds: [...new Set([...grantPath, credential.id])],
    agentIds: [...new Set([agentId, subject, ...priorActors])],
  }
}

/** Everybody who acts or acted, the present one first (RFC 8693 §4.1). */
export function listActors(act: ActClaim | undefined): readonly string[] {
  return act === undefined ? [] : [act.sub, ...listActors(act.act)]
}
