import type { EpochSeconds } from '@deputy/auth/protocol'

/** Notes that a credential was used. */
export type UseLog = (credentialId: string, now: EpochSeconds) => Promise<void>

/** The part of a store that notes uses. */
export type CredentialTouch = { touch(id: string, now: EpochSeconds): Promise<void> }

/** How often the last use of one credential is written at most. */
export const TOUCH_EVERY_SECONDS = 60

/** Credentials remembered at most; one that was forgotten costs a write too many. */
const MAX_REMEMBERED = 100_000

/** Creates a log that writes the use of a credential at most once a minute, so that a busy one is cheap. */
export function createUseLog(store: CredentialTouch): UseLog {
  const writtenAt = new Map<string, EpochSeconds>()

  return async (id, now) => {
    const last = writtenAt.get(id)
    if (last !== undefined && now - last < TOUCH_EVERY_SECONDS) return
    if (writtenAt.size >= MAX_REMEMBERED) writtenAt.clear()
    // Noted before it is written: the calls of the same moment find it done.
    writtenAt.set(id, now)
    await store.touch(id, now)
  }
}
