import { expect, test, vi } from 'vitest'
import type { Refusal } from '../refusal.ts'
import { shareWatch } from './share-watch.ts'

const REVOKED: Refusal = { reason: 'token_revoked' }

function setUp() {
  const ends: ((refusal: Refusal) => void)[] = []
  const unwatch = vi.fn<() => void>()
  const watch = shareWatch((onEnd) => {
    ends.push(onEnd)
    return unwatch
  })
  return { ends, unwatch, watch }
}

test('all calls of a batch end with their caller’s authority, by one watch', () => {
  const { ends, watch } = setUp()
  const ended: string[] = []
  watch(({ reason }) => ended.push(`first ${reason}`))
  watch(({ reason }) => ended.push(`second ${reason}`))

  for (const end of ends) end(REVOKED)

  expect(ended).toEqual(['first token_revoked', 'second token_revoked'])
  expect(ends).toHaveLength(1)
})

test('a call that was answered is not told, and the last one ends the watch', () => {
  const { ends, unwatch, watch } = setUp()
  const first = vi.fn<() => void>()
  const second = vi.fn<() => void>()
  const leaveFirst = watch(first)
  const leaveSecond = watch(second)

  leaveFirst()
  leaveFirst()
  expect(unwatch).not.toHaveBeenCalled()
  ends[0]?.(REVOKED)
  leaveSecond()

  expect(first).not.toHaveBeenCalled()
  expect(second).toHaveBeenCalledOnce()
  expect(unwatch).not.toHaveBeenCalled()
})

test('nobody is watched any more when the last call was answered', () => {
  const { unwatch, watch } = setUp()
  const leaves = [watch(() => undefined), watch(() => undefined)]

  for (const leave of leaves) leave()

  expect(unwatch).toHaveBeenCalledOnce()
})

test('a call that begins later, when all others are over or were ended, is watched anew', () => {
  // Attack prevented: a call of a batch that begins after the end was told, and goes on as if there had been none.
  const { ends, watch } = setUp()
  watch(() => undefined)()
  const late = vi.fn<() => void>()
  watch(late)
  ends[1]?.(REVOKED)
  const later = vi.fn<() => void>()

  watch(later)
  ends[2]?.(REVOKED)

  expect(late).toHaveBeenCalledOnce()
  expect(later).toHaveBeenCalledOnce()
})
