// Whose books are looked at. Organisations never see each other's, and a posting never crosses between two:
// the book of each balances by itself.
import type { Principal } from '@deputy/auth'
import { refuseCall } from '../refusals.ts'

/** Whoever runs the system: operates the books of every organisation. Its accounts are named without it. */
export const SYSTEM_OWNER_ID = 'system'

/** Whose an account is: an agent of an organisation. */
export type Holder = { readonly ownerId: string; readonly agentId: string }

/**
 * The organisation that a call acts for. A subject without one is one by itself: attack prevented, a token of
 * an issuer that names no organisations that would count as the operator's.
 */
export function ownerOf({ ownerId, subject }: Pick<Principal, 'ownerId' | 'subject'>): string {
  return ownerId ?? subject
}

/** Whose account a call moves: its subject's. */
export function holderOf(principal: Pick<Principal, 'ownerId' | 'subject'>): Holder {
  return { ownerId: ownerOf(principal), agentId: principal.subject }
}

/**
 * The organisation whose books an operator asked for; its own by default. Throws `owner_unknown` for another
 * one's, as for one that does not exist.
 */
export function operatedOwner(
  principal: Pick<Principal, 'ownerId' | 'subject'>,
  asked: string | undefined,
): string {
  const own = ownerOf(principal)
  if (asked === undefined || asked === own || own === SYSTEM_OWNER_ID) return asked ?? own
  throw refuseCall('owner_unknown', `No organisation ${asked}`)
}

/** What a call stands on, as the audit trail has it: the task grant, or the first token. The first id is the credential's. */
export function grantOf({ grantPath }: Pick<Principal, 'grantPath'>): string | undefined {
  return grantPath[1] ?? grantPath[0]
}
