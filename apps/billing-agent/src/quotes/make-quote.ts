import { Quote, type QuoteInput } from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import { randomUUID } from 'node:crypto'
import type { ServiceDeps } from '../service-deps.ts'
import { PRICE_BOOK, QUOTE_TTL_SECONDS, toAmountMinor } from './price-book.ts'

/** `billing.quote`: prices the units from the current price book, for the caller's account. */
export async function makeQuote(
  { clock, runOnce }: ServiceDeps,
  { principal }: Call,
  input: QuoteInput,
): Promise<Quote> {
  const once = { principal, procedure: 'billing.quote', input, output: Quote }
  return runOnce(once, async ({ quotes }) => {
    const price = PRICE_BOOK.prices[input.service]
    const quote: Quote = {
      quoteId: randomUUID(),
      service: input.service,
      units: input.units,
      baseMinor: price.baseMinor,
      unitPriceMinor: price.unitPriceMinor,
      amount: { amountMinor: toAmountMinor(price, input.units), currency: price.currency },
      priceBookVersion: PRICE_BOOK.version,
      expiresAt: clock.now() + QUOTE_TTL_SECONDS,
    }
    await quotes.insert(principal.subject, quote)
    return quote
  })
}
