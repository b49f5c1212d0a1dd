import { describe, expect, test } from 'vitest'
import { parseTimeoutHeader, parseTimeoutParam, toTimeoutMs } from './deadline.ts'

describe('the time that a caller waits', () => {
  test.each(['0', '1', '30000', '9999999999'])('is read from a header: %s', (text) => {
    expect(parseTimeoutHeader(text)).toEqual({ ok: true, value: Number(text) })
    expect(parseTimeoutParam(Number(text))).toEqual({ ok: true, value: Number(text) })
  })

  test.each(['', ' 1', '-1', '+1', '1.5', '1e3', '0x10', '1S', '12345678901', '١', '1, 2'])(
    'is refused where it is none: %j',
    (text) => {
      expect(parseTimeoutHeader(text)).toMatchObject({ refusal: { reason: 'deadline_invalid' } })
    },
  )

  test.each([-1, 1.5, 1e300, Number.NaN, '5', true, {}, []])(
    'is refused in a message where it is none: %j',
    (value) => {
      expect(parseTimeoutParam(value)).toMatchObject({ refusal: { reason: 'deadline_invalid' } })
    },
  )

  test('need not be said', () => {
    const none = { ok: true, value: undefined }

    expect(parseTimeoutHeader(undefined)).toEqual(none)
    expect([undefined, null].map((value) => parseTimeoutParam(value))).toEqual([none, none])
  })

  test.each([
    [1999.9, 1999],
    [0.4, 0],
    [-5, 0],
    [Number.POSITIVE_INFINITY, 9_999_999_999],
  ])('of %d is sent as %i: never more than is left', (leftMs, sent) => {
    expect(toTimeoutMs({ remainingMs: () => leftMs })).toBe(sent)
  })
})
