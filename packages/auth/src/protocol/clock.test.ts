import { expect, test, vi } from 'vitest'
import { systemClock } from './clock.ts'

test('reads the time in whole seconds, rounded down', () => {
  vi.spyOn(Date, 'now').mockReturnValue(1_800_000_000_999)

  expect(systemClock.now()).toBe(1_800_000_000)
})
