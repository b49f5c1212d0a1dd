// Whether anything is going on. A world has no clock that runs, so "a moment later" is when everything
// that was set off has come to rest.
import type { ServerResponse } from 'node:http'
import { setImmediate, setTimeout } from 'node:timers/promises'

export type Activity = {
  /** Something moved. */
  readonly touch: () => void
  /** A request is held up on purpose, until what this returns is called. */
  hold(): () => void
  /** Something is under way until this settles; not while a request is held up, which it may wait for. */
  track<Value>(work: Promise<Value>): Promise<Value>
  /** A request is under way until its answer begins. */
  watch(response: ServerResponse): void
  /** Waits until nothing moves. Rejects when that does not come to pass. */
  settle(): Promise<void>
  /** The same, also for what begins a millisecond later: calls that are collected into a batch. */
  settleAll(): Promise<void>
}

/** Turns of the event loop without a movement, after which all is quiet. */
const QUIET_TURNS = 6

/** So long something may go on, in milliseconds of the machine. */
const GIVE_UP_MS = 20_000

/** Creates the watch over one world. */
export function createActivity(): Activity {
  let moves = 0
  let underWay = 0
  let held = 0
  const responses = new Set<ServerResponse>()

  function isBusy(): boolean {
    for (const response of responses) {
      if (response.headersSent || response.destroyed || response.writableEnded) {
        responses.delete(response)
      }
    }
    return (underWay > 0 && held === 0) || responses.size > 0
  }

  async function settle(): Promise<void> {
    const giveUpMs = performance.now() + GIVE_UP_MS
    let seen = moves
    for (let quiet = 0; quiet < QUIET_TURNS; quiet += 1) {
      await setImmediate()
      if (isBusy() || moves !== seen) quiet = -1
      seen = moves
      if (performance.now() > giveUpMs) {
        throw new Error(`the world does not come to rest: ${String(underWay)} are under way`)
      }
    }
  }

  return {
    touch() {
      moves += 1
    },
    async track(work) {
      underWay += 1
      try {
        return await work
      } finally {
        underWay -= 1
        moves += 1
      }
    },
    hold() {
      let isHeld = true
      held += 1
      return () => {
        if (isHeld) held -= 1
        isHeld = false
        moves += 1
      }
    },
    watch: (response) => void responses.add(response),
    settle,
    async settleAll() {
      for (let seen = -1; seen !== moves;) {
        seen = moves
        await setTimeout(2)
        await settle()
      }
    },
  }
}
