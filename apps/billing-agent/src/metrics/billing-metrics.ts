// Metrics of the ledger by OpenTelemetry's API: operations by outcome, postings and money, quotas that were reached, sweeps.
// Labels come from lists that are known beforehand: no agent, grant, account or quota is one.
import { createInstruments, reasonOf } from '@deputy/serve/telemetry'
import { noteOutcome } from '../trace/traced.ts'

export const METER_NAME = '@deputy/billing-agent'

/** Seconds: an operation waits for its commit. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

const instruments = createInstruments(METER_NAME, (meter) => ({
  operations: meter.createHistogram('billing.operation.duration', {
    unit: 's',
    description: 'Duration of operations on the ledger, by what came of them',
    advice: { explicitBucketBoundaries: BOUNDS },
  }),
  postings: meter.createCounter('billing.postings', {
    description: 'Postings that were committed, by procedure',
  }),
  money: meter.createCounter('billing.money', {
    description: 'Minor units that they held, captured, returned or paid in',
  }),
  quotaEvents: meter.createCounter('billing.quota.events', {
    description: 'Quotas that came to 80 or to 100 percent',
  }),
  sweeps: meter.createCounter('billing.sweeps', {
    description: 'Rounds of what ends by itself, by outcome',
  }),
  swept: meter.createCounter('billing.swept', {
    description: 'Holds that expired, answers and quotes that were forgotten',
  }),
}))

/** Measures an operation. Its outcome is `ok`, what it notes, or the reason that it was refused with. */
export async function measureOperation<Value>(
  operation: string,
  run: (note: (outcome: 'replayed') => void) => Promise<Value>,
): Promise<Value> {
  const startedMs = performance.now()
  let outcome = 'ok'
  try {
    return await run((noted) => (outcome = noted))
  } catch (error) {
    outcome = reasonOf(error)
    throw error
  } finally {
    if (outcome === 'replayed') noteOutcome(outcome)
    const seconds = (performance.now() - startedMs) / 1000
    instruments().operations.record(seconds, { operation, outcome })
  }
}

/** What a posting moved, in minor units. */
export type PostingFact = {
  readonly procedure: string
  readonly currency: string
  readonly amountMinor: number
}

/** Records a posting that is on disk. */
export function recordPosting({ amountMinor, currency, procedure }: PostingFact): void {
  const { money, postings } = instruments()
  postings.add(1, { procedure })
  money.add(amountMinor, { procedure, currency })
}

/** Records that a quota came to so many percent. */
export function recordQuotaEvent(threshold: number): void {
  instruments().quotaEvents.add(1, { threshold })
}

/** Measures a round of what ends by itself, which answers how much it ended. */
export async function measureSweep(
  sweep: 'holds' | 'answers' | 'quotes',
  run: () => Promise<number>,
): Promise<void> {
  const { swept, sweeps } = instruments()
  try {
    swept.add(await run(), { sweep })
    sweeps.add(1, { sweep, outcome: 'ok' })
  } catch (error) {
    sweeps.add(1, { sweep, outcome: 'failed' })
    throw error
  }
}
