import type { Refusal } from '../refusal.ts'
import { createWaitingList } from '../waiting-list.ts'

type Watch = (onEnd: (refusal: Refusal) => void) => () => void

/**
 * One watch for the calls of a batch, begun with the first and over with the last of them: they have one caller, whose
 * authority ends for all at once.
 */
export function shareWatch(watch: Watch): Watch {
  const calls = createWaitingList<(refusal: Refusal) => void>()
  let unwatch: (() => void) | undefined

  function end(refusal: Refusal): void {
    unwatch = undefined
    calls.forEach((onEnd, leave) => {
      if (leave()) onEnd(refusal)
    })
  }

  return (onEnd) => {
    const leave = calls.add(onEnd)
    unwatch ??= watch(end)
    return () => {
      if (!leave() || !calls.isEmpty()) return
      unwatch?.()
      unwatch = undefined
    }
  }
}
