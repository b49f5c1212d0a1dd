// The acts of revocation. Each is a few rows in one transaction; what stands below is denied with its
// root, without being named.
import type { EpochSeconds } from '@deputy/auth/protocol'
import { MAX_ACCESS_TOKEN_TTL_SECONDS } from '../agents/agent.ts'
import type { GrantNode } from '../delegation/grant-node.ts'
import { MAX_CLOCK_TOLERANCE_SECONDS } from '../keys/key-schedule.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import type { Stores } from '../storage/stores.ts'

type DenyingStores = Pick<Stores, 'approvals' | 'grants' | 'revocations'>

/** Grants that one act looks at; an agent with more than these is denied as a whole anyway. */
const MAX_GRANTS = 100_000

/**
 * Until when something is denied whose tokens end at a moment. Attack prevented: a token that was revoked, used again in
 * the seconds after its end, in which agents with a clock of their own still take it.
 */
const toDeniedUntil = (endsAt: EpochSeconds): EpochSeconds => endsAt + MAX_CLOCK_TOLERANCE_SECONDS

/** Ends a task grant or a token that has a node, with all below. Answers `false` for one that has ended. */
export async function denyGrant(
  stores: DenyingStores,
  node: GrantNode,
  now: EpochSeconds,
): Promise<boolean> {
  if (node.revokedAt !== undefined || node.expiresAt <= now) return false
  await stores.grants.markRevoked({ id: node.id, within: EVERY_OWNER }, now)
  // No token below lives longer than this, and none is given below it any more.
  const endsAt = Math.min(node.expiresAt, now + MAX_ACCESS_TOKEN_TTL_SECONDS)
  const expiresAt = toDeniedUntil(endsAt)
  const isNew = await stores.revocations.insert({ kind: 'grant', id: node.id, expiresAt }, now)
  // After it: from then on no other is asked for.
  await stores.approvals.endStandingOn(node.id, now)
  return isNew
}

/** Ends one token with all below, whether it has a node or not. */
export async function denyToken(
  stores: DenyingStores,
  token: { readonly jti: string; readonly expiresAt: EpochSeconds },
  now: EpochSeconds,
): Promise<boolean> {
  await stores.grants.markRevoked({ id: token.jti, within: EVERY_OWNER }, now)
  const { jti } = token
  const expiresAt = toDeniedUntil(token.expiresAt)
  const isNew = await stores.revocations.insert({ kind: 'grant', id: jti, expiresAt }, now)
  await stores.approvals.endStandingOn(jti, now)
  return isNew
}

/** Ends every token that was obtained with a credential, with all below. */
export async function denyCredential(
  stores: DenyingStores,
  credentialId: string,
  now: EpochSeconds,
): Promise<void> {
  const expiresAt = toDeniedUntil(now + MAX_ACCESS_TOKEN_TTL_SECONDS)
  // The tokens that begin a path have it there; those that came from an exchange are named.
  await stores.revocations.insert({ kind: 'grant', id: credentialId, expiresAt }, now)
  await stores.approvals.endStandingOn(credentialId, now)
  const options = { now, limit: MAX_GRANTS }
  for (const node of await stores.grants.listByCredential(credentialId, options)) {
    await denyGrant(stores, node, now)
  }
}

/** Ends everything that an agent holds, acts with or handed on, and the task grants that it opened. */
export async function denyAgent(
  stores: DenyingStores,
  agentId: string,
  now: EpochSeconds,
): Promise<void> {
  const expiresAt = toDeniedUntil(now + MAX_ACCESS_TOKEN_TTL_SECONDS)
  await stores.revocations.insert({ kind: 'agent', id: agentId, expiresAt }, now)
  const options = { now, limit: MAX_GRANTS }
  for (const node of await stores.grants.listByAgent(agentId, options)) {
    if (node.kind === 'task') await denyGrant(stores, node, now)
  }
}
