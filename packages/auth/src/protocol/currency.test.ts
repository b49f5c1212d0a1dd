import { expect, test } from 'vitest'
import { fromMinorUnits, toMinorUnits } from './limits.ts'

test.each([
  ['USD', '123.45'],
  ['HUF', '123.45'],
  ['IDR', '123.45'],
  ['JPY', '12345'],
  ['KWD', '12.345'],
  ['IQD', '12.345'],
  ['CLF', '1.2345'],
])(
  '12345 minor units of %s are %s, as ISO 4217 has it and not as prices are written',
  (currency, amount) => {
    // `Intl` gives HUF and IDR no decimals, and other ones with another ICU: a budget would be another amount elsewhere.
    expect(fromMinorUnits(12_345, currency)).toBe(amount)
    expect(toMinorUnits({ amount, currency })).toBe(12_345)
  },
)
