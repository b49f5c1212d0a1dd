import { requireScope } from '@deputy/auth/trpc'
import type {
  UsageEventPage,
  UsageEventsInput,
  UsageReport,
  UsageReportInput,
} from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import { operatedOwner, type Holder } from '../owners/owner.ts'
import { monthOf } from '../periods/period.ts'
import type { ServiceDeps } from '../service-deps.ts'
import { toWhole } from './to-whole.ts'
import type { UsageMonth } from './usage-store.ts'

/** Months of a page. */
const MAX_MONTHS = 1000

/** The caller's own account; another one's of the organisation for whoever has `billing:audit`. */
function readHolder(
  { principal }: Call,
  { account = principal.subject, ownerId }: Pick<UsageReportInput, 'account' | 'ownerId'>,
): Holder {
  if (account !== principal.subject || ownerId !== undefined) {
    requireScope(principal, 'billing:audit')
  }
  return { ownerId: operatedOwner(principal, ownerId), agentId: account }
}

/** `usage.report`: what came together, month by month, and how much of it was billed. */
export async function reportUsage(
  { storage }: ServiceDeps,
  call: Call,
  { cursor, since, ...whose }: UsageReportInput,
): Promise<UsageReport> {
  const holder = readHolder(call, whose)
  return storage.read(async ({ usage }) => {
    const after = fromCursor(cursor)
    const page = { since: monthOf(since).startsAt, after, limit: MAX_MONTHS + 1 }
    const found = await usage.listMonths(holder, page)
    const months: UsageReport['months'] = []
    for (const month of found.slice(0, MAX_MONTHS)) {
      const { aggregation } = month
      const { events, quantity } = await usage.sum(month, aggregation)
      const billed = await usage.findBilled(month)
      months.push({
        meter: month.meter,
        aggregation,
        periodStart: month.periodStart,
        periodEnd: monthOf(month.periodStart).endsAt,
        quantity: toWhole(quantity, month),
        events,
        billedQuantity: billed?.totalQuantity ?? 0,
        billedMinor: billed?.amountMinor ?? 0,
      })
    }
    const last = found.length > MAX_MONTHS ? months.at(-1) : undefined
    const nextCursor = last && `${String(last.periodStart)}/${last.meter}`
    return { account: holder.agentId, months, nextCursor }
  })
}

/** As `nextCursor` was made; before all months where there is none. */
function fromCursor(cursor = `${String(Number.MAX_SAFE_INTEGER)}/`): Omit<UsageMonth, 'holder'> {
  const [periodStart, meter = ''] = cursor.split('/')
  return { periodStart: Number(periodStart), meter }
}

/** `usage.events`: as they were recorded, page by page. */
export async function listUsageEvents(
  { storage }: ServiceDeps,
  call: Call,
  input: UsageEventsInput,
): Promise<UsageEventPage> {
  const { cursor, limit, meter } = input
  const holder = readHolder(call, input)
  return storage.read(async ({ usage }) => {
    const query = { holder, meter, afterSequence: cursor, limit: limit + 1 }
    const found = await usage.listEvents(query)
    const events = found.slice(0, limit)
    const nextCursor = found.length > limit ? events.at(-1)?.sequence : undefined
    return { events: [...events], nextCursor }
  })
}
