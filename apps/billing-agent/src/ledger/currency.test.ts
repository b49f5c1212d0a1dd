import { expect, test } from 'vitest'
import { requireCurrency } from './currency.ts'

test.each(['USD', 'CLF', 'UYW', 'CHE'])('%s is a currency', (currency) => {
  expect(() => {
    requireCurrency(currency)
  }).not.toThrow()
})

test.each(['ZZZ', 'XAU', 'XTS'])('%s is none that money is kept in', (currency) => {
  expect(() => {
    requireCurrency(currency)
  }).toThrow(`${currency} is no currency of ISO 4217`)
})
