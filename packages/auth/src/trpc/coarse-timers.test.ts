import { describe, expect, test } from 'vitest'
import type { Clock } from '../protocol/index.ts'
import { createCoarseTimers } from './coarse-timers.ts'

/** A clock of milliseconds, and how many timers of the machine there ever were. */
function setUp() {
  let now = 1_000_000
  let started = 0
  const alarms = new Set<{ readonly at: number; readonly callback: () => void }>()
  const clock: Clock = {
    now: () => Math.floor(now / 1000),
    msUntil: (at) => at * 1000 - now,
    after(ms, callback) {
      started += 1
      const alarm = { at: now + ms, callback }
      alarms.add(alarm)
      return () => alarms.delete(alarm)
    },
  }
  const advance = (ms: number): void => {
    for (const end = now + ms; now < end;) {
      now += 1
      for (const alarm of alarms) if (alarm.at <= now && alarms.delete(alarm)) alarm.callback()
    }
  }
  return { timers: createCoarseTimers(clock), advance, started: () => started, alarms }
}

describe('a coarse timer', () => {
  test.each([0, 1, 9, 10, 11, 1234, 60_000])(
    'is never early, and at most 10 ms late: after %i ms',
    (ms) => {
      const { advance, timers } = setUp()
      let fired = 0
      timers.start(ms, () => (fired += 1))

      advance(ms - 1)
      const early = fired
      advance(11)

      expect([early, fired]).toEqual([0, 1])
    },
  )

  test('is one of the machine’s for all that end before their time', () => {
    const { advance, alarms, started, timers } = setUp()

    for (let count = 0; count < 1000; count += 1) {
      const cancel = timers.start(30_000, () => undefined)
      advance(1)
      cancel()
    }

    expect(started()).toBe(1)
    advance(60_000)
    // Nothing is left to wait for.
    expect(alarms.size).toBe(0)
  })

  test('that is due earlier than the others is not late for it', () => {
    const { advance, timers } = setUp()
    const fired: string[] = []
    timers.start(1000, () => fired.push('late'))
    timers.start(100, () => fired.push('early'))
    timers.start(500, () => fired.push('never'))()

    advance(120)
    const then = [...fired]
    advance(1000)

    expect([then, fired]).toEqual([['early'], ['early', 'late']])
  })

  test('may be started and ended while others fire', () => {
    const { advance, timers } = setUp()
    const fired: string[] = []
    timers.start(10, () => {
      end()
      timers.start(10, () => fired.push('second'))
    })
    const end = timers.start(20, () => fired.push('ended'))

    advance(100)

    expect(fired).toEqual(['second'])
  })
})
