import type { Principal } from '@deputy/auth'

/** Alice, who calls billing with an access token and may read there, unless it is said otherwise. */
export function createAlice(members: Partial<Principal> = {}): Principal {
  return {
    agentId: 'agent-alice-v1',
    subject: 'agent-alice-v1',
    audience: 'agent-billing-v2',
    scopes: ['billing:read'],
    priorActors: [],
    expiresAt: 2_000_000_000,
    grantPath: ['token-1'],
    limits: [],
    credential: { kind: 'access_token', id: 'token-1' },
    ...members,
  }
}
