// The time of a world: it stands still until it is told to pass, and what waits for it is called back in
// the order in which it is due.
import type { Clock, EpochSeconds } from '@deputy/auth/protocol'

export type WorldClock = {
  /** The clock of one party, which may be wrong by so many seconds. */
  readonly forParty: (skewSeconds: () => number) => Clock
  now(): EpochSeconds
  /** Lets time pass, and waits after each moment in which something was due. */
  advance(seconds: number, settle: () => Promise<void>): Promise<void>
  /** Goes from one moment in which something is due to the next, for as long as that holds. Answers whether it ended. */
  passWhile(holds: () => boolean, limits: PassLimits): Promise<boolean>
}

type PassLimits = { readonly atMostSeconds: number; readonly settle: () => Promise<void> }

type Wait = { readonly atMs: number; readonly callback: () => void }

/** Where every world begins unless told otherwise. */
export const WORLD_BEGINS_AT: EpochSeconds = 1_800_000_000

/**
 * So much of a longer time passes moment by moment. What is before passes at once, as for machines that were
 * suspended: a month of heartbeats tells nobody anything.
 */
const IN_DETAIL_MS = 60 * 60 * 1000

/** Creates a clock that stands. */
export function createWorldClock(beginsAt: EpochSeconds = WORLD_BEGINS_AT): WorldClock {
  let nowMs = beginsAt * 1000
  const waits = new Set<Wait>()
  const now = (): EpochSeconds => Math.floor(nowMs / 1000)

  function after(ms: number, callback: () => void): () => void {
    const wait = { atMs: nowMs + ms, callback }
    waits.add(wait)
    return () => waits.delete(wait)
  }

  function findNext(endMs: number): Wait | undefined {
    let next: Wait | undefined
    for (const wait of waits) {
      if (wait.atMs <= endMs && (next === undefined || wait.atMs < next.atMs)) next = wait
    }
    return next
  }

  /** Calls back what is due by now; what that starts waits for its own time. */
  function callDue(): void {
    const due = [...waits].filter(({ atMs }) => atMs <= nowMs).sort((a, b) => a.atMs - b.atMs)
    // One that is cancelled by an earlier one is not called.
    for (const wait of due) if (waits.delete(wait)) wait.callback()
  }

  /** Goes to the next moment in which something is due, if that is by then. */
  function step(endMs: number): boolean {
    const next = findNext(endMs)
    if (next === undefined) return false
    nowMs = Math.max(nowMs, next.atMs)
    callDue()
    return true
  }

  return {
    now,
    forParty: (skewSeconds) => ({ now: () => now() + skewSeconds(), after }),

    async advance(seconds, settle) {
      if (!Number.isFinite(seconds) || seconds < 0) {
        throw new TypeError(`time passes forward, by seconds, not by ${String(seconds)}`)
      }
      const endMs = nowMs + seconds * 1000
      if (endMs - nowMs > IN_DETAIL_MS) {
        nowMs = endMs - IN_DETAIL_MS
        callDue()
        await settle()
      }
      while (step(endMs)) await settle()
      nowMs = endMs
    },

    async passWhile(holds, { atMostSeconds, settle }) {
      const endMs = nowMs + atMostSeconds * 1000
      await settle()
      while (holds() && step(endMs)) await settle()
      return !holds()
    },
  }
}
