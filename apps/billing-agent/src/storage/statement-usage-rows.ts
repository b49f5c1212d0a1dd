// Lines of usage as their columns have them.
import type { StatementHead, UsageLine } from '@deputy/contracts/billing'
import type { Insertable, Selectable } from 'kysely'
import { monthOf } from '../periods/period.ts'
import type { UsageLineRecord } from '../usage/usage-store.ts'
import type { StatementUsageTable } from './tables.ts'

/** The row of a line. */
export function toUsageRow(
  { account, ownerId, statementId }: Pick<StatementHead, 'statementId' | 'ownerId' | 'account'>,
  line: UsageLineRecord,
): Insertable<StatementUsageTable> {
  return {
    statement_id: statementId,
    owner_id: ownerId,
    account,
    meter: line.meter,
    period_start: line.periodStart,
    through_sequence: line.throughSequence,
    total_quantity: line.totalQuantity,
    quantity: line.quantity,
    base_minor: line.baseMinor,
    unit_price_minor: line.unitPriceMinor,
    price_book_version: line.priceBookVersion,
    amount_minor: line.amountMinor,
    is_adjustment: line.kind === 'adjustment' ? 1 : 0,
    events: line.evidence.events,
    events_sha256: line.evidence.eventsSha256,
  }
}

/** The line of a row. */
export function toUsageLine(row: Selectable<StatementUsageTable>): UsageLine {
  return {
    meter: row.meter,
    periodStart: row.period_start,
    periodEnd: monthOf(row.period_start).endsAt,
    kind: row.is_adjustment === 1 ? 'adjustment' : 'usage',
    totalQuantity: row.total_quantity,
    quantity: row.quantity,
    baseMinor: row.base_minor,
    unitPriceMinor: row.unit_price_minor,
    priceBookVersion: row.price_book_version,
    amountMinor: row.amount_minor,
    evidence: { events: row.events, eventsSha256: row.events_sha256 },
  }
}
