import { startTimer, systemClock, type Clock, type Timer } from '@deputy/auth/protocol'
import type { Logger } from '@deputy/serve'
import type { KeyRing } from './key-ring.ts'
import { RELOAD_WITHIN_SECONDS } from './key-schedule.ts'

export type KeyTimerOptions = {
  readonly keyRing: Pick<KeyRing, 'tick'>
  readonly clock?: Clock | undefined
  readonly logger: Logger
  /** From the end of one tick to the next. Default: half of `RELOAD_WITHIN_SECONDS`. */
  readonly everyMs?: number | undefined
}

/**
 * Ticks until it is disposed of, which waits for a tick that is under way. A tick that fails is logged,
 * and the next one comes all the same.
 */
export function startKeyTimer(options: KeyTimerOptions): AsyncDisposable {
  const {
    clock = systemClock,
    everyMs = (RELOAD_WITHIN_SECONDS * 1000) / 2,
    keyRing,
    logger,
  } = options
  let isStopped = false
  let ticking: Promise<void> = Promise.resolve()
  let timer = schedule()

  function schedule(): Timer {
    // Keys to rotate are no reason for a process to live on.
    return startTimer(clock, everyMs, () => {
      ticking = tick()
    }).unref()
  }

  async function tick(): Promise<void> {
    try {
      await keyRing.tick()
    } catch (error) {
      logger.error({ err: error }, 'the signing keys could not be brought up to date')
    }
    if (!isStopped) timer = schedule()
  }

  return {
    async [Symbol.asyncDispose]() {
      isStopped = true
      timer.cancel()
      await ticking
    },
  }
}
