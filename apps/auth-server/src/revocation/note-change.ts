// Tells verifiers that what they remember of an agent or an API key is void: its scopes, its audiences, its
// tier or its end are others than they were. Denying nobody is the point: tokens go on as they are.
import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Stores } from '../storage/stores.ts'

/**
 * How long a change is told to who asks for what it missed: longer than any verifier may remember an answer
 * about a key (docs/adr/0022).
 */
const TOLD_FOR_SECONDS = 600

/** Notes the change, in the transaction of the stores. `id` is the agent's or the key's. */
export async function noteChange(
  stores: Pick<Stores, 'revocations'>,
  id: string,
  now: EpochSeconds,
): Promise<void> {
  await stores.revocations.insertChange(
    { kind: 'change', id, expiresAt: now + TOLD_FOR_SECONDS },
    now,
  )
}
