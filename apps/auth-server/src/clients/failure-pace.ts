// Holds back the answer to an assertion that none of its client's keys signed, for as long as keys took to be fetched
// lately. Attack prevented: finding out, by the time that it takes, which clients there are whose keys are at a URL: for
// them alone this server has somebody to ask.
import { setTimeout } from 'node:timers/promises'

export type FailurePace = {
  /** Does a fetch, and notes how long it took. Rejects as it does. */
  measure<Value>(fetch: () => Promise<Value>): Promise<Value>
  /** Begins a verification. What it answers is waited for when the verification fails. */
  begin(): () => Promise<void>
}

export type FailurePaceOptions = {
  /** In milliseconds from any moment on. Default: the machine's. */
  readonly nowMs?: (() => number) | undefined
  /** Default: the machine's timers. */
  readonly wait?: ((ms: number) => Promise<void>) | undefined
}

/** Fetches that are looked back at. */
const REMEMBERED = 16

/** So much longer than the longest one: the next may be a little longer still. */
const MARGIN = 1.25

/** Creates the pace of one server. Until keys were fetched for the first time nothing is held back. */
export function createFailurePace(options: FailurePaceOptions = {}): FailurePace {
  const nowMs = options.nowMs ?? (() => performance.now())
  const wait = options.wait ?? (async (ms: number) => setTimeout(ms))
  const durationsMs: number[] = []

  return {
    async measure(fetch) {
      const beganAtMs = nowMs()
      try {
        return await fetch()
      } finally {
        durationsMs.push(nowMs() - beganAtMs)
        if (durationsMs.length > REMEMBERED) durationsMs.shift()
      }
    },

    begin() {
      const beganAtMs = nowMs()
      return async () => {
        if (durationsMs.length === 0) return
        const leftMs = beganAtMs + MARGIN * Math.max(...durationsMs) - nowMs()
        if (leftMs > 0) await wait(leftMs)
      }
    },
  }
}
