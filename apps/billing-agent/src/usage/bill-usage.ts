// What there is to bill of an account's usage. Of each month it is what the month comes to now, less what is on
// statements already, at the price that the month was billed with first: so events that come late, and corrections,
// become an adjustment on the next statement, whatever a meter counts by.
import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Price } from '@deputy/contracts/billing'
import { createHash } from 'node:crypto'
import type { Holder } from '../owners/owner.ts'
import { monthOf } from '../periods/period.ts'
import type { BillingTransaction } from '../storage/open-storage.ts'
import { toWhole } from './to-whole.ts'
import type { BilledUsage, UsageLineRecord, UsageMonth } from './usage-store.ts'

/** Events that are read at once for the evidence. */
const PAGE = 5000

type Stores = Pick<BillingTransaction, 'usage' | 'prices'>
type Tariff = Pick<Price, 'baseMinor' | 'unitPriceMinor'> & { readonly priceBookVersion: string }

/** Lines of a new statement. Usage of a meter without a price in this currency waits for one. */
export async function billUsage(
  stores: Stores,
  holder: Holder,
  { currency, now }: { readonly currency: string; readonly now: EpochSeconds },
): Promise<readonly UsageLineRecord[]> {
  const lines: UsageLineRecord[] = []
  for (const month of await stores.usage.listUnbilled(holder)) {
    const line = await billMonth(stores, month, { currency, now })
    if (line !== undefined) lines.push(line)
  }
  return lines
}

async function billMonth(
  stores: Stores,
  month: UsageMonth,
  { currency, now }: { readonly currency: string; readonly now: EpochSeconds },
): Promise<UsageLineRecord | undefined> {
  const { meter, periodStart } = month
  const { endsAt: periodEnd } = monthOf(periodStart)
  const billed = await stores.usage.findBilled(month)
  const at = Math.min(now, periodEnd - 1)
  const tariff = await findTariff(stores, { meter, currency, at, now, billed })
  const known = await stores.usage.findMeter(meter)
  if (tariff === undefined || known === undefined) return undefined
  const { events, throughSequence, ...sum } = await stores.usage.sum(month, known.aggregation)
  const total = toWhole(sum.quantity, month)
  const quantity = total - (billed?.totalQuantity ?? 0)
  const amountMinor = toWhole(toAmount(sum.quantity, tariff), month) - (billed?.amountMinor ?? 0)
  if (quantity === 0 && amountMinor === 0) return undefined
  return {
    meter,
    periodStart,
    periodEnd,
    kind: billed !== undefined && billed.lastClosedAt >= periodEnd ? 'adjustment' : 'usage',
    totalQuantity: total,
    quantity,
    ...tariff,
    amountMinor,
    evidence: { events, eventsSha256: await hashEvents(stores, month) },
    throughSequence,
  }
}

const toAmount = (quantity: bigint, { baseMinor, unitPriceMinor }: Tariff): bigint =>
  quantity === 0n ? 0n : BigInt(baseMinor) + quantity * BigInt(unitPriceMinor)

async function findTariff(
  { prices }: Stores,
  {
    at,
    billed,
    currency,
    meter,
    now,
  }: {
    readonly meter: string
    readonly currency: string
    readonly at: EpochSeconds
    readonly now: EpochSeconds
    readonly billed: BilledUsage | undefined
  },
): Promise<Tariff | undefined> {
  // What was billed keeps its currency as well: an adjustment is on a statement of the same.
  if (billed !== undefined) return billed.currency === currency ? toTariff(billed) : undefined
  // As the month had it; a price that was published after the month serves where there was none.
  for (const moment of [at, now]) {
    const book = await prices.findCurrent(moment)
    const price = book?.prices.find((one) => one.service === meter && one.currency === currency)
    if (book && price) return toTariff({ ...price, priceBookVersion: book.version })
  }
  return undefined
}

const toTariff = ({ baseMinor, priceBookVersion, unitPriceMinor }: Tariff): Tariff => ({
  baseMinor,
  unitPriceMinor,
  priceBookVersion,
})

/** The fingerprint of what a line is made from, which `usage.events` shows event by event. */
async function hashEvents({ usage }: Stores, month: UsageMonth): Promise<string> {
  const hash = createHash('sha256')
  let afterSequence = 0
  for (;;) {
    const page = await usage.listEvidence(month, { afterSequence, limit: PAGE })
    for (const { eventId, quantity, source } of page)
      hash.update(`${JSON.stringify([source, eventId, quantity])}\n`)
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE) return hash.digest('hex')
    afterSequence = last.sequence
  }
}
