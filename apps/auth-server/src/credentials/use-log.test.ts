import { expect, test } from 'vitest'
import { createUseLog, type UseLogOptions } from './use-log.ts'

function setUp(options: Pick<UseLogOptions, 'maxPending'> = {}) {
  const written: [string, number][][] = []
  const faults: unknown[] = []
  let isGone = false
  const log = createUseLog({
    ...options,
    write: async (uses) => {
      if (isGone) throw new Error('gone')
      written.push([...uses])
    },
    onFault: (error) => faults.push(error),
  })
  return { log, written, faults, setGone: (gone: boolean) => (isGone = gone) }
}

test.each([
  { secondsLater: 0, writes: [1000] },
  { secondsLater: 59, writes: [1000] },
  { secondsLater: 60, writes: [1000, 1060] },
  { secondsLater: 61, writes: [1000, 1061] },
])('writes a use $secondsLater s after the last: $writes', async ({ secondsLater, writes }) => {
  const { log, written } = setUp()
  await using _log = log

  log.note('secret-1', 1000)
  await log.flush()
  log.note('secret-1', 1000 + secondsLater)
  await log.flush()

  expect(written.flat().map(([, at]) => at)).toEqual(writes)
})

test('writes each credential once, however often it was used, and never many in one go', async () => {
  const { log, written } = setUp()
  await using _log = log

  for (let use = 0; use < 2000; use += 1) log.note(`secret-${String(use % 600)}`, 1000)
  await log.flush()

  expect(written.map((part) => part.length)).toEqual([250, 250, 100])
})

// Neighbours share a page of the store.
test('writes uses in the order of the ids, whatever the order in which they came', async () => {
  const { log, written } = setUp()
  await using _log = log
  const ids = ['b7', 'c1', 'a9', 'b1', 'a', 'c0']

  for (const id of ids) log.note(id, 1000)
  await log.flush()

  expect(written.flat().map(([id]) => id)).toEqual(ids.toSorted())
})

test('writes early when many are noted, and lets go what a slow store cannot take', async () => {
  const { log, written } = setUp({ maxPending: 3 })
  await using _log = log

  // Nothing is written before the loop is over, as where the store is slow.
  for (let use = 0; use < 9; use += 1) log.note(`secret-${String(use)}`, 1000)
  await log.flush()
  log.note('secret-8', 1001)
  await log.flush()

  expect(written.map((part) => part.map(([id]) => id))).toEqual([
    ['secret-0', 'secret-1', 'secret-2', 'secret-3', 'secret-4', 'secret-5'],
    ['secret-8'],
  ])
})

test('writes what is left when it ends', async () => {
  const { log, written } = setUp()
  log.note('secret-1', 1000)

  await log[Symbol.asyncDispose]()

  expect(written).toEqual([[['secret-1', 1000]]])
})

test('says that it could not write, goes on, and writes the next use', async () => {
  const { faults, log, setGone, written } = setUp()
  await using _log = log
  setGone(true)
  log.note('secret-1', 1000)
  await log.flush()

  setGone(false)
  log.note('secret-1', 1001)
  await log.flush()

  expect(faults).toHaveLength(1)
  expect(written).toEqual([[['secret-1', 1001]]])
})
