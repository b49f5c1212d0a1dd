import { expect, test } from 'vitest'
import { formatRateLimitHeaders } from './rate-limit-headers.ts'

const state = { tier: 'standard', burst: 1000, perMinute: 6000, remaining: 50, resetSeconds: 10 }

test('names the policy, what remains and when it is full again', () => {
  expect(formatRateLimitHeaders([state])).toEqual({
    'ratelimit-policy': '"standard";q=1000;w=10',
    ratelimit: '"standard";r=50;t=10',
  })
})

test('of a batch is what has the least left, and without a limit nothing', () => {
  const less = { ...state, remaining: 49 }

  expect(formatRateLimitHeaders([state, less, state])['ratelimit']).toContain('r=49')
  expect(formatRateLimitHeaders([])).toEqual({})
})
