// Whether anything is going on. A world has no clock that runs, so "a moment later" is when this process
// has come to rest: no callback waits for its turn, and no other thread is at work for it. It is told by
// what happens and never by how long it takes, so a busy machine changes nothing.
import { createHook } from 'node:async_hooks'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { createSubtleWatch } from './subtle-watch.ts'

/** Watches the process for one world, until it is disposed of. */
export type Rest = Disposable & {
  /** Waits until nothing is going on. Rejects where something sets itself off again and again. */
  settle(): Promise<void>
}

/** So many turns of the event loop may follow from each other without any work before it is taken for a loop. */
const MAX_TURNS = 10_000

/** Requests of `node:fs`, which other threads work on. */
const FILE_WORK = /^FSREQ|^FILEHANDLECLOSEREQ$/
/** Jobs of `node:crypto`: on other threads when they have a callback, on this one otherwise. */
const KEY_WORK = /^(?:SIGN|KEYPAIRGEN)REQUEST$/

type CreatedResource = [id: number, type: string, triggerId: number, resource: object]

/** What callbacks were set off so far, those of this file aside. */
const made = { immediates: 0, timers: 0 }
/** How many of the timers have had their turn, where that was to come at once. */
let timersPassed = 0
const fileWork = new Set<number>()
const keyWork = new Map<number, object>()
const wakers = new Set<() => void>()
const subtle = createSubtleWatch(wakeAll)
let worlds = 0
let isOwn = false

/** One for all worlds: there is one process. */
const hook = createHook({
  init(...[id, type, , resource]: CreatedResource) {
    if (isOwn) return
    if (type === 'Immediate') made.immediates += 1
    else if (type === 'Timeout') made.timers += 1
    else if (FILE_WORK.test(type)) fileWork.add(id)
    else if (KEY_WORK.test(type)) keyWork.set(id, resource)
  },
  after: endWork,
  destroy: endWork,
  trackPromises: false,
})

/** Begins to watch. */
export function watchRest(): Rest {
  if (worlds === 0) {
    hook.enable()
    subtle.begin()
  }
  worlds += 1
  let isWatching = true
  return {
    settle,
    [Symbol.dispose]() {
      if (!isWatching) return
      isWatching = false
      worlds -= 1
      if (worlds > 0) return
      hook.disable()
      subtle.end()
      fileWork.clear()
      keyWork.clear()
    },
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < MAX_TURNS; turn += 1) {
    const { immediates } = made
    // What was set off before has its turn before.
    await own(async () => setImmediate())
    const { timers } = made
    if (fileWork.size > 0 || isKeyWorkedOn() || subtle.isAtWork()) {
      await new Promise<void>((resolve) => wakers.add(resolve))
      turn = 0
    } else if (timers !== timersPassed) {
      // Calls are collected into a batch until a timer of 0 ms, which is one of 1 ms; equal timers of
      // Node's end in the order in which they began.
      await own(async () => setTimeout(1))
      timersPassed = timers
    } else if (made.immediates === immediates) return
  }
  throw new Error('the world does not come to rest: something sets itself off again and again')
}

/** Begins to wait without being seen: two worlds that wait would keep each other waiting. */
async function own(begin: () => Promise<unknown>): Promise<void> {
  isOwn = true
  const waiting = begin()
  isOwn = false
  await waiting
}

/** What was done at once is forgotten here: it never had a callback, and nobody is told of its end. */
function isKeyWorkedOn(): boolean {
  for (const [id, job] of keyWork) if (!('ondone' in job)) keyWork.delete(id)
  return keyWork.size > 0
}

function endWork(id: number): void {
  const isFileWork = fileWork.delete(id)
  if (keyWork.delete(id) || isFileWork) wakeAll()
}

function wakeAll(): void {
  for (const wake of wakers) wake()
  wakers.clear()
}
