import { PriceBook, type PriceBooks, type PublishPricesInput } from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import { requireCurrency } from '../ledger/currency.ts'
import { ownerOf, SYSTEM_OWNER_ID } from '../owners/owner.ts'
import { refuseCall } from '../refusals.ts'
import type { ServiceDeps } from '../service-deps.ts'

const MAX_LISTED = 100

/** `billing.prices`: the price books, the latest first, with the version that is in force. */
export async function listPrices({ clock, storage }: ServiceDeps): Promise<PriceBooks> {
  return storage.read(async ({ prices }) => ({
    current: (await prices.findCurrent(clock.now()))?.version,
    books: [...(await prices.list(MAX_LISTED))],
  }))
}

/** `billing.publishPrices`: for whoever runs the system. A quote that stands keeps its price. */
export async function publishPrices(
  { clock, runOnce }: ServiceDeps,
  { principal }: Call,
  input: PublishPricesInput,
): Promise<PriceBook> {
  if (ownerOf(principal) !== SYSTEM_OWNER_ID) {
    throw refuseCall('prices_not_yours', 'Prices are set by whoever runs the system')
  }
  for (const { currency } of input.prices) requireCurrency(currency)
  const once = { principal, procedure: 'billing.publishPrices', input, output: PriceBook }
  return runOnce(once, async ({ prices }) => {
    const now = clock.now()
    const { effectiveAt = now, version } = input
    // Attack prevented: prices that change for work which was quoted before.
    if (effectiveAt < now) {
      throw refuseCall(
        'prices_in_the_past',
        `Prices hold from now on at the earliest: ${String(now)}`,
      )
    }
    const book = { version, effectiveAt, publishedBy: principal.agentId, prices: input.prices }
    if (!(await prices.insert(book))) {
      throw refuseCall('price_version_exists', `There is a price book ${version} already`)
    }
    return book
  })
}
