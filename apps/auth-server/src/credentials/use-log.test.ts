import { expect, test } from 'vitest'
import { createUseLog } from './use-log.ts'

function setUp() {
  const written: [string, number][] = []
  const note = createUseLog({
    async touch(id, now) {
      written.push([id, now])
    },
  })
  return { note, written }
}

test.each([
  { secondsLater: 0, writes: [1000] },
  { secondsLater: 59, writes: [1000] },
  { secondsLater: 60, writes: [1000, 1060] },
  { secondsLater: 61, writes: [1000, 1061] },
])('writes a use $secondsLater s after the last: $writes', async ({ secondsLater, writes }) => {
  const { note, written } = setUp()

  await note('secret-1', 1000)
  await note('secret-1', 1000 + secondsLater)

  expect(written.map(([, at]) => at)).toEqual(writes)
})

test('writes once for many uses at the same moment', async () => {
  const { note, written } = setUp()

  await Promise.all(Array.from({ length: 50 }, async () => note('secret-1', 1000)))

  expect(written).toHaveLength(1)
})

test('writes for each credential on its own', async () => {
  const { note, written } = setUp()

  await note('secret-1', 1000)
  await note('secret-2', 1000)

  expect(written.map(([id]) => id)).toEqual(['secret-1', 'secret-2'])
})
