import { QuoteInput } from '@deputy/contracts/billing'
import { expect, test } from 'vitest'
import { PRICE_BOOK, toAmountMinor } from './price-book.ts'

const price = PRICE_BOOK.prices['research.brief']

test.each([
  [1, 15],
  [2, 20],
  [1000, 5010],
])('%i cited sentences cost %i cents', (units, amountMinor) => {
  expect(toAmountMinor(price, units)).toBe(amountMinor)
})

test('every service that can be asked for has a price, in whole cents', () => {
  const { value: service } = QuoteInput.shape.service

  expect(Object.keys(PRICE_BOOK.prices)).toEqual([service])
  expect([price.baseMinor, price.unitPriceMinor].every(Number.isSafeInteger)).toBe(true)
})
