import type { Clock } from '@deputy/auth/protocol'
import { ClientError } from '../error/client-error.ts'
import { wait } from '../wait.ts'

/** Waits before the second and the third try, in milliseconds; half of each is spread at random. */
const WAITS_MS = [300, 1200]

/** A server that wants to be left alone for longer is not waited for. */
const MAX_RETRY_AFTER_SECONDS = 5

/**
 * Asks up to three times where the server could not be asked (`token_unavailable`), about 1.5 seconds in
 * all, or when it said (`Retry-After`, up to 5 seconds). What it refused is not asked again.
 */
export async function patiently<Value>(
  ask: () => Promise<Value>,
  { clock, random }: { readonly clock: Clock; readonly random: () => number },
): Promise<Value> {
  for (const waitMs of WAITS_MS) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== 'token_unavailable') throw error
      const { retryAfterSeconds } = error
      if ((retryAfterSeconds ?? 0) > MAX_RETRY_AFTER_SECONDS) throw error
      const asked = (retryAfterSeconds ?? 0) * 1000
      await wait(clock, asked + waitMs * (0.5 + random() / 2))
    }
  }
  return ask()
}
