import { describe, expect, test } from 'vitest'
import { createTimedClock } from '../../../../test/support/settable-clock.ts'
import type { Clock } from '../protocol/index.ts'
import { createExpiryWatch } from './expiry-watch.ts'

function createWorld() {
  const clock = createTimedClock()
  const set: number[] = []
  let under = 0
  const counting: Clock = {
    now: () => clock.now(),
    after(ms, callback) {
      set.push(ms)
      under += 1
      const cancel = clock.after?.(ms, callback)
      return () => {
        under -= 1
        cancel?.()
      }
    },
  }
  const ended: string[] = []
  return {
    clock,
    ended,
    end: (name: string) => () => void ended.push(name),
    timersSet: () => set.length,
    timersUnderWay: () => under,
    watch: createExpiryWatch(counting),
  }
}

describe('the watch over what expires', () => {
  test('calls back in the second of the expiry, and not before', () => {
    const { clock, end, ended, watch } = createWorld()
    watch.add(clock.now() + 10, end('alice'))
    watch.add(clock.now() + 20, end('bob'))

    clock.advance(9)
    expect(ended).toEqual([])
    clock.advance(1)
    expect(ended).toEqual(['alice'])
    clock.advance(10)

    expect(ended).toEqual(['alice', 'bob'])
  })

  test('never calls back who has stopped waiting', () => {
    const { clock, end, ended, watch } = createWorld()
    const stop = watch.add(clock.now() + 10, end('alice'))
    watch.add(clock.now() + 10, end('bob'))

    stop()
    clock.advance(10)
    clock.advance(10)

    expect(ended).toEqual(['bob'])
  })

  test('sets one timer for all that end in the same second, however many calls begin and end before', () => {
    const { clock, end, timersSet, watch } = createWorld()

    for (let call = 0; call < 100; call += 1) watch.add(clock.now() + 10, end('x'))()

    expect(timersSet()).toBe(1)
  })

  test('ends at once what is over already', () => {
    const { clock, end, ended, watch } = createWorld()

    watch.add(clock.now() - 1, end('alice'))
    clock.advance(0)

    expect(ended).toEqual(['alice'])
  })

  test('waits on when its clock was set back', () => {
    const { clock, end, ended, watch } = createWorld()
    const expiresAt = clock.now() + 10
    watch.add(expiresAt, end('alice'))

    clock.set(expiresAt - 100)
    clock.set(expiresAt - 1)
    expect(ended).toEqual([])
    clock.set(expiresAt)

    expect(ended).toEqual(['alice'])
  })

  test('keeps nothing for callers that never come again, and everybody who waits', () => {
    // Attack: keys and tokens of ever new expiries, to fill the memory with timers.
    const { clock, end, ended, timersUnderWay, watch } = createWorld()
    watch.add(clock.now() + 5, end('alice'))

    for (let second = 1; second <= 5000; second += 1)
      watch.add(clock.now() + 10 + second, end('x'))()
    clock.advance(5)

    expect(timersUnderWay()).toBeLessThanOrEqual(1001)
    expect(ended).toEqual(['alice'])
  })

  test('lets thousands wait for as many moments', () => {
    const { clock, end, ended, watch } = createWorld()

    for (let second = 1; second <= 3000; second += 1) watch.add(clock.now() + second, end('x'))
    clock.advance(3000)

    expect(ended).toHaveLength(3000)
  })
})
