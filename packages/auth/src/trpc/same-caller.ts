import type { Principal } from '../principal.ts'

/** What of a caller stays the same for as long as a connection lasts. */
export type CallerTrait = 'sub' | 'client_id' | 'aud' | 'cnf' | 'kind'

/**
 * Names what makes the holder of a new credential another caller than before; `undefined` for the same one.
 * Attack prevented: a connection on which one caller's work goes on with another one's authority, and one that was
 * bound to a key going on with a token that is bound to none.
 */
export function findOtherCaller(before: Principal, after: Principal): CallerTrait | undefined {
  if (after.credential.kind !== before.credential.kind) return 'kind'
  if (after.subject !== before.subject) return 'sub'
  if (after.agentId !== before.agentId) return 'client_id'
  if (after.audience !== before.audience) return 'aud'
  const key = before.confirmation?.jkt
  return key !== undefined && after.confirmation?.jkt !== key ? 'cnf' : undefined
}
