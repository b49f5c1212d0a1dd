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
  input: UsageReportInput,
): Promise<UsageReport> {
  const holder = readHolder(call, input)
  return storage.read(async ({ usage }) => {
    const page = { since: monthOf(input.since).startsAt, limit: MAX_MONTHS }
    const meters = new Map((await usage.listMeters(MAX_MONTHS)).map((one) => [one.meter, one]))
    const months: UsageReport['months'] = []
    for (const month of await usage.listMonths(holder, page)) {
      const aggregation = meters.get(month.meter)?.aggregation ?? 'sum'
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
    return { account: holder.agentId, months }
  })
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
