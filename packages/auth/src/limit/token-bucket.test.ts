import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RateLimitRequest } from './rate-limit.ts'
import { takeToken, type Bucket } from './token-bucket.ts'

const request: RateLimitRequest = {
  key: 'alice',
  tier: 'standard',
  limit: { burst: 3, perMinute: 30 },
}

/** Takes at each of these seconds, and answers which were allowed. */
function takeAt(seconds: readonly number[], from: RateLimitRequest = request): boolean[] {
  let bucket: Bucket | undefined
  return seconds.map((now) => {
    const taken = takeToken(bucket, from, now)
    bucket = taken.bucket
    return taken.decision.ok
  })
}

describe('a token bucket', () => {
  test('allows the burst at once and no more', () => {
    expect(takeAt([0, 0, 0, 0])).toEqual([true, true, true, false])
  })

  test('fills at the sustained rate, to the exact second', () => {
    expect(takeAt([0, 0, 0, 1, 2, 2, 3, 4])).toEqual([
      true,
      true,
      true,
      false,
      true,
      false,
      false,
      true,
    ])
  })

  test('never holds more than the burst', () => {
    expect(takeAt([0, 1000, 1000, 1000, 1000])).toEqual([true, true, true, true, false])
  })

  test('is not filled by a clock that goes back and forth', () => {
    expect(takeAt([10, 10, 10, 0, 10, 0, 10])).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
      false,
    ])
  })

  test('says what is left, when it is full again and when to come back', () => {
    const first = takeToken(undefined, request, 0)
    const empty = takeToken({ tokens: 0, at: 0 }, request, 0)

    expect(first.decision).toEqual({
      ok: true,
      value: { tier: 'standard', burst: 3, perMinute: 30, remaining: 2, resetSeconds: 2 },
    })
    expect(empty.decision).toMatchObject({
      ok: false,
      refusal: { reason: 'rate_limited', retryAfterSeconds: 2, state: { remaining: 0 } },
    })
  })

  test('keeps its word: whoever waits as long as it was told gets through', () => {
    const limits = fc.record({
      burst: fc.integer({ min: 1, max: 50 }),
      perMinute: fc.double({ min: 0.5, max: 5000, noNaN: true }),
    })
    const waits = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 100 })

    fc.assert(
      fc.property(limits, waits, (limit, seconds) => {
        let bucket: Bucket | undefined
        let now = 0
        let taken = 0
        for (const wait of seconds) {
          now += wait
          const { bucket: kept, decision } = takeToken(bucket, { ...request, limit }, now)
          bucket = kept
          taken += decision.ok ? 1 : 0
          const retryAt = decision.ok ? now : now + decision.refusal.retryAfterSeconds
          const retried = takeToken(bucket, { ...request, limit }, retryAt)
          expect(decision.ok || retried.decision.ok).toBe(true)
        }
        // However the calls are spread, never more than the burst and what the time gives.
        expect(taken).toBeLessThanOrEqual(limit.burst + (now * limit.perMinute) / 60 + 1e-6)
      }),
    )
  })
})
