import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createLogger } from './logger.ts'
import { startPruning } from './pruning.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

function createLog() {
  const lines: string[] = []
  const logger = createLogger({ name: 'test', write: (line) => void lines.push(line) })
  return { lines, logger }
}

test('goes on each minute, also after a round that failed, which the log says', async () => {
  const { lines, logger } = createLog()
  const prune = vi.fn(async () => Promise.resolve())
  prune.mockRejectedValueOnce(new Error('the disk is full'))
  await using _pruning = startPruning({ prune, logger })

  await vi.advanceTimersByTimeAsync(59_999)
  const early = prune.mock.calls.length
  await vi.advanceTimersByTimeAsync(60_001)

  expect([early, prune.mock.calls.length]).toEqual([0, 2])
  expect(lines.join('')).toContain('the disk is full')
})

test('ends with the round that is under way, and begins none after', async () => {
  const { logger } = createLog()
  const gate = Promise.withResolvers<undefined>()
  const prune = vi.fn(async () => gate.promise)
  const pruning = startPruning({ prune, logger })
  await vi.advanceTimersByTimeAsync(60_000)
  let isOver = false

  const over = Promise.resolve(pruning[Symbol.asyncDispose]()).then(() => (isOver = true))
  await vi.advanceTimersByTimeAsync(120_000)
  const before = isOver
  gate.resolve(undefined)
  await over

  expect([before, isOver, prune.mock.calls.length]).toEqual([false, true, 1])
})
