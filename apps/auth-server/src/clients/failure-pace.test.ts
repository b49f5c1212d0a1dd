import { describe, expect, test } from 'vitest'
import { createFailurePace } from './failure-pace.ts'

/** A pace by a clock that stands still but for what waits and fetches take. */
function createHarness() {
  let now = 0
  const waits: number[] = []
  const pace = createFailurePace({
    nowMs: () => now,
    wait: async (ms) => {
      waits.push(ms)
      now += ms
    },
  })
  const take = async (ms: number): Promise<void> => {
    now += ms
  }
  /** How long a verification takes that fails after so long. */
  const fail = async (ms: number): Promise<number> => {
    const beganAt = now
    const settle = pace.begin()
    await take(ms)
    await settle()
    return now - beganAt
  }
  return { pace, take, fail, waits }
}

describe('an assertion that fails', () => {
  test('is answered at once while no keys were ever fetched', async () => {
    const { fail, waits } = createHarness()

    expect(await fail(3)).toBe(3)
    expect(waits).toEqual([])
  })

  test('takes as long whether keys were fetched for it or there was nobody to ask', async () => {
    // Attack: the one client whose keys are at a URL is told from those that are not there by the time that it takes.
    const { fail, pace, take } = createHarness()
    await pace.measure(async () => take(80))

    expect(await fail(1)).toBe(100)
    expect(await fail(80)).toBe(100)
  })

  test('takes as long as the longest of the last fetches, good or not', async () => {
    const { fail, pace, take } = createHarness()
    const failed = pace.measure(async () => {
      await take(400)
      throw new Error('nobody is there')
    })
    await expect(failed).rejects.toThrow('nobody is there')
    await pace.measure(async () => take(40))
    expect(await fail(0)).toBe(500)

    for (let n = 0; n < 16; n += 1) await pace.measure(async () => take(40))

    expect(await fail(0)).toBe(50)
  })

  test('that took longer than that is not held back', async () => {
    const { fail, pace, take } = createHarness()
    await pace.measure(async () => take(80))

    expect(await fail(120)).toBe(120)
  })
})
