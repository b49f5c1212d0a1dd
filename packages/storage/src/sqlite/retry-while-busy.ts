import { setTimeout } from 'node:timers/promises'
import { isBusy } from './sqlite-unavailability.ts'

const FIRST_DELAY_MS = 1
const MAX_DELAY_MS = 16
const MAX_WAIT_MS = 5000

/**
 * Tries again while another process holds the file's write lock, for five seconds in all. It waits with
 * a timer: SQLite's own waiting stops the whole process, and with it a holder that lives in it.
 */
export async function retryWhileBusy<Value>(attempt: () => Value): Promise<Value> {
  let delayMs = FIRST_DELAY_MS
  for (let waitedMs = 0; ; waitedMs += delayMs, delayMs = Math.min(delayMs * 2, MAX_DELAY_MS)) {
    try {
      return attempt()
    } catch (error) {
      if (!isBusy(error) || waitedMs >= MAX_WAIT_MS) throw error
    }
    await setTimeout(delayMs)
  }
}
