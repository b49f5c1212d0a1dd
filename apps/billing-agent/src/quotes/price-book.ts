// What things cost. A quote keeps the version that it was made from, so a change of prices changes no
// quote that stands.
import type { QuoteInput } from '@deputy/contracts/billing'

type Service = QuoteInput['service']

export type Price = {
  readonly baseMinor: number
  readonly unitPriceMinor: number
  readonly currency: string
}

export const PRICE_BOOK = Object.freeze({
  version: '2026-11',
  prices: {
    /** A brief: a base for the search, and so much for each cited sentence. */
    'research.brief': { baseMinor: 10, unitPriceMinor: 5, currency: 'USD' },
  } satisfies Record<Service, Price>,
})

/** How long a quote stands. */
export const QUOTE_TTL_SECONDS = 600

/** What so many units cost, in minor units. */
export function toAmountMinor(price: Price, units: number): number {
  return price.baseMinor + price.unitPriceMinor * units
}
