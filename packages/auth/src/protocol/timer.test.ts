import { describe, expect, test, vi } from 'vitest'
import { startInterval, startTimer, timeoutSignal, waitFor, type Clock } from './index.ts'

/** A clock whose waits end when the test says so, in the order in which they are due. */
function createManualClock(): Clock & { pass(ms: number): void } {
  let nowMs = 0
  const waiting = new Map<() => void, number>()
  return {
    now: () => Math.floor(nowMs / 1000),
    after(ms, callback) {
      const wait = (): void => callback()
      waiting.set(wait, nowMs + ms)
      return () => waiting.delete(wait)
    },
    pass(ms) {
      const endMs = nowMs + ms
      for (;;) {
        const [next] = [...waiting].toSorted(([, a], [, b]) => a - b)
        if (next === undefined || next[1] > endMs) break
        nowMs = next[1]
        waiting.delete(next[0])
        next[0]()
      }
      nowMs = endMs
    },
  }
}

describe('on a clock that has waits of its own', () => {
  test('a timer calls back once, when its time has come, and not when it was cancelled', () => {
    const clock = createManualClock()
    const calls: string[] = []
    startTimer(clock, 100, () => calls.push('first'))
    startTimer(clock, 100, () => calls.push('cancelled')).cancel()

    clock.pass(99)
    expect(calls).toEqual([])
    clock.pass(1000)

    expect(calls).toEqual(['first'])
  })

  test('an interval goes on until it is cancelled, also from within', () => {
    const clock = createManualClock()
    let count = 0
    const interval = startInterval(clock, 1000, () => {
      count += 1
      if (count === 3) interval.cancel()
    })

    clock.pass(60_000)

    expect(count).toBe(3)
  })

  test('a wait ends with its time, or early with its signal', async () => {
    const clock = createManualClock()
    const early = new AbortController()
    const ends: string[] = []
    const first = waitFor(clock, 1000, new AbortController().signal).then(() => ends.push('late'))
    const second = waitFor(clock, 9000, early.signal).then(() => ends.push('early'))

    early.abort()
    await second
    clock.pass(1000)
    await first

    expect(ends).toEqual(['early', 'late'])
    await waitFor(clock, 9000, early.signal)
  })

  test('a timeout is a TimeoutError, as that of the platform is', () => {
    const clock = createManualClock()
    const signal = timeoutSignal(clock, 5000)

    clock.pass(4999)
    expect(signal.aborted).toBe(false)
    clock.pass(1)

    expect(signal.reason).toMatchObject({ name: 'TimeoutError' })
  })
})

describe('on a clock that has none', () => {
  test("timers are the machine's, and wait no longer than those can", () => {
    vi.useFakeTimers()
    const clock = { now: () => 0 }
    const calls: string[] = []
    startTimer(clock, 10, () => calls.push('short'))
    startTimer(clock, 2 ** 40, () => calls.push('too long')).unref()
    const interval = startInterval(clock, 20, () => calls.push('again'))

    vi.advanceTimersByTime(50)
    interval.cancel()
    vi.advanceTimersByTime(2 ** 31 - 1)
    vi.useRealTimers()

    expect(calls).toEqual(['short', 'again', 'again', 'too long'])
  })
})
