// What is measured beside what is held: searches, recorded once however often they are sent, and corrected.
import { RESEARCH_AGENT_ID } from '@deputy/contracts/research'
import type { BooksOptions } from './books.ts'

const METER = 'research.search'

/** Gives the searches a price. The same on every start. */
export async function priceSearches({ billing }: BooksOptions, currency: string): Promise<void> {
  await billing.usage.defineMeter.mutate({
    meter: METER,
    aggregation: 'sum',
    description: 'searches of the documents',
    idempotencyKey: 'meter-searches',
  })
  await billing.billing.publishPrices.mutate({
    version: 'with-searches',
    prices: [
      { service: 'research.brief', baseMinor: 10, unitPriceMinor: 5, currency },
      { service: METER, baseMinor: 0, unitPriceMinor: 1, currency },
    ],
    idempotencyKey: 'prices-with-searches',
  })
}

/** Records the searches of a job twice, as whoever is not sure of an answer would, and then corrects them. */
export async function recordSearches(
  { billing, transcript }: BooksOptions,
  jobId: string,
): Promise<void> {
  const searches = {
    kind: 'usage',
    eventId: `${jobId}-searches`,
    meter: METER,
    account: RESEARCH_AGENT_ID,
    quantity: 3,
  } as const
  const first = await billing.usage.record.mutate({ events: [searches] })
  const second = await billing.usage.record.mutate({ events: [searches] })
  const corrected = await billing.usage.record.mutate({
    events: [
      {
        kind: 'correction',
        eventId: `${jobId}-correction`,
        corrects: searches.eventId,
        quantity: 2,
        reason: 'one found nothing',
      },
    ],
  })
  transcript({
    type: 'usage',
    meter: METER,
    sent: 3,
    recorded: first.recorded + second.recorded + corrected.recorded,
    duplicates: second.duplicates.length,
  })
}
