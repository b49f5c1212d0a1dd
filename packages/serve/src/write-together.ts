// Answers of one turn of the event loop leave at its end, one write right after the other. A write that wakes a
// peer costs more than all the rest of a call, and one that follows at once finds it awake (docs/adr/0040).
import { setImmediate } from 'node:timers'

/** As many are kept at most: who came first should not wait for all who came at the same time. */
const MAX_TOGETHER = 64

let waiting: (() => void)[] = []
let isPlanned = false

/** Calls `write` at the end of this turn of the event loop, in the order of the calls. It should not throw. */
export function writeTogether(write: () => void): void {
  waiting.push(write)
  if (waiting.length >= MAX_TOGETHER) writeAll()
  else plan()
}

function plan(): void {
  if (isPlanned) return
  isPlanned = true
  setImmediate(endTurn)
}

function endTurn(): void {
  isPlanned = false
  writeAll()
}

function writeAll(): void {
  const writes = waiting
  waiting = []
  let done = 0
  try {
    for (const write of writes) {
      done += 1
      write()
    }
  } finally {
    // One that throws ends the process, unless somebody listens; then nobody else may be left without an answer.
    if (done < writes.length) {
      waiting = [...writes.slice(done), ...waiting]
      plan()
    }
  }
}
