import { Quote, type QuoteInput } from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import { createId } from '@deputy/storage'
import { holderOf } from '../owners/owner.ts'
import { refuseCall } from '../refusals.ts'
import type { ServiceDeps } from '../service-deps.ts'

/** How long a quote stands. */
export const QUOTE_TTL_SECONDS = 600

/** `billing.quote`: prices the units from the price book that is in force, for the caller's account. */
export async function makeQuote(
  { clock, runOnce }: ServiceDeps,
  { principal }: Call,
  input: QuoteInput,
): Promise<Quote> {
  const once = { principal, procedure: 'billing.quote', input, output: Quote }
  return runOnce(once, async ({ prices, quotes }) => {
    const now = clock.now()
    const book = await prices.findCurrent(now)
    const price = book?.prices.find(({ service }) => service === input.service)
    if (book === undefined || price === undefined) {
      throw refuseCall('service_unknown', `No price for ${input.service} is in force`)
    }
    const { baseMinor, currency, unitPriceMinor } = price
    const amountMinor = baseMinor + unitPriceMinor * input.units
    if (amountMinor === 0) throw refuseCall('service_free', `${input.service} costs nothing`)
    const quote: Quote = {
      quoteId: createId(now),
      service: input.service,
      units: input.units,
      baseMinor,
      unitPriceMinor,
      amount: { amountMinor, currency },
      priceBookVersion: book.version,
      expiresAt: now + QUOTE_TTL_SECONDS,
    }
    await quotes.insert(holderOf(principal), quote)
    return quote
  })
}
