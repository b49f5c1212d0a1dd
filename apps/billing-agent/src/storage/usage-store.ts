import { sql, type Kysely, type Selectable } from 'kysely'
import type { Meter } from '@deputy/contracts/billing'
import type { RecordedEvent, UsageMonth, UsageStore } from '../usage/usage-store.ts'
import type { MeterTable, Tables } from './tables.ts'

/** Creates the store on Kysely. */
export function createKyselyUsageStore(db: Kysely<Tables>): UsageStore {
  return {
    async findMeter(meter) {
      const row = await db
        .selectFrom('meter')
        .selectAll()
        .where('name', '=', meter)
        .executeTakeFirst()
      return row && toMeter(row)
    },

    async listMeters(limit) {
      const rows = await db.selectFrom('meter').selectAll().orderBy('name').limit(limit).execute()
      return rows.map(toMeter)
    },

    async defineMeter({ aggregation, definedAt, definedBy, description, meter }) {
      const known = await db
        .selectFrom('meter')
        .select('name')
        .where('name', '=', meter)
        .executeTakeFirst()
      if (known !== undefined) return false
      await db
        .insertInto('meter')
        .values({
          name: meter,
          aggregation,
          description,
          defined_at: definedAt,
          defined_by: definedBy,
        })
        .execute()
      return true
    },

    async find(source, eventId) {
      const { rows } = await sql<EventRow>`
        select e.*, o.event_id as corrects_id, ${rightQuantity('e')} as right_quantity
        from usage_event e left join usage_event o on o.sequence = e.corrects
        where e.source = ${source} and e.event_id = ${eventId}
      `.execute(db)
      return rows[0] && toRecorded(rows[0])
    },

    async insert(event) {
      await db
        .insertInto('usage_event')
        .values({
          source: event.source,
          event_id: event.eventId,
          owner_id: event.holder.ownerId,
          account: event.holder.agentId,
          meter: event.meter,
          quantity: event.quantity,
          unique_key: event.uniqueKey ?? null,
          happened_at: event.happenedAt,
          period_start: event.periodStart,
          recorded_at: event.recordedAt,
          corrects: event.corrects ?? null,
          reason: event.reason ?? null,
          subject: event.subject,
          credential_id: event.credentialId,
          token_sha256: event.tokenSha256 ?? null,
          grant_id: event.grantId ?? null,
          trace_id: event.traceId ?? null,
        })
        .execute()
    },

    async listEvents({ afterSequence, holder, limit, meter }) {
      const { rows } = await sql<EventRow>`
        select e.*, o.event_id as corrects_id, e.quantity as right_quantity
        from usage_event e left join usage_event o on o.sequence = e.corrects
        where e.owner_id = ${holder.ownerId} and e.account = ${holder.agentId}
          and e.sequence > ${afterSequence}
          and (cast(${meter ?? null} as text) is null or e.meter = ${meter ?? null})
        order by e.sequence limit ${limit}
      `.execute(db)
      return rows.map((row) => ({
        sequence: row.sequence,
        source: row.source,
        eventId: row.event_id,
        account: row.account,
        meter: row.meter,
        quantity: row.quantity,
        uniqueKey: row.unique_key ?? undefined,
        happenedAt: row.happened_at,
        recordedAt: row.recorded_at,
        corrects: row.corrects_id ?? undefined,
        reason: row.reason ?? undefined,
        subject: row.subject,
        grantId: row.grant_id ?? undefined,
        traceId: row.trace_id ?? undefined,
      }))
    },

    async listUnbilled(holder) {
      const { rows } = await sql<{ meter: string; period_start: number }>`
        select p.meter, p.period_start from usage_period p
        where p.owner_id = ${holder.ownerId} and p.account = ${holder.agentId}
          and p.last_sequence > (
            select coalesce(max(b.through_sequence), 0) from statement_usage b
            where b.owner_id = p.owner_id and b.account = p.account
              and b.meter = p.meter and b.period_start = p.period_start)
        order by p.period_start, p.meter
      `.execute(db)
      return rows.map((row) => ({ holder, meter: row.meter, periodStart: row.period_start }))
    },

    async listMonths(holder, { after, limit, since }) {
      const rows = await db
        .selectFrom('usage_period')
        .innerJoin('meter', 'meter.name', 'usage_period.meter')
        .select(['meter', 'period_start', 'aggregation'])
        .where('owner_id', '=', holder.ownerId)
        .where('account', '=', holder.agentId)
        .where('period_start', '>=', since)
        .where((eb) =>
          eb.or([
            eb('period_start', '<', after.periodStart),
            eb.and([eb('period_start', '=', after.periodStart), eb('meter', '>', after.meter)]),
          ]),
        )
        .orderBy('period_start', 'desc')
        .orderBy('meter')
        .limit(limit)
        .execute()
      return rows.map(({ aggregation, meter, period_start: periodStart }) => ({
        holder,
        meter,
        periodStart,
        aggregation,
      }))
    },

    async sum(month, aggregation) {
      const quantity = {
        sum: sql`sum(quantity)`,
        count: sql`count(*)`,
        unique: sql`count(distinct unique_key)`,
        max: sql`max(quantity)`,
      }[aggregation]
      const { rows } = await sql<{
        quantity: string | null
        events: number
        through: number | null
      }>`
        select cast(${quantity} as text) as quantity, count(*) as events,
          (select last_sequence from usage_period p where ${ofMonth('p', month)}) as through
        from (${happened(month)}) as happened
      `.execute(db)
      const [row] = rows
      return {
        quantity: BigInt(row?.quantity ?? 0),
        events: row?.events ?? 0,
        throughSequence: row?.through ?? 0,
      }
    },

    async findBilled(month) {
      const { rows } = await sql<BilledRow>`
        select b.total_quantity, b.base_minor, b.unit_price_minor, b.price_book_version,
          s.currency, s.closed_at,
          (select cast(sum(amount_minor) as bigint) from statement_usage b
            where ${ofMonth('b', month)}) as amount_minor
        from statement_usage b join statement s on s.id = b.statement_id
        where ${ofMonth('b', month)}
        order by b.through_sequence desc limit 1
      `.execute(db)
      const [row] = rows
      return (
        row && {
          totalQuantity: row.total_quantity,
          amountMinor: row.amount_minor,
          baseMinor: row.base_minor,
          unitPriceMinor: row.unit_price_minor,
          priceBookVersion: row.price_book_version,
          currency: row.currency,
          lastClosedAt: row.closed_at,
        }
      )
    },

    async listEvidence(month, { afterSequence, limit }) {
      const { rows } = await sql<EvidenceRow>`
        select sequence, source, event_id, quantity from (${happened(month)}) as happened
        where sequence > ${afterSequence} order by sequence limit ${limit}
      `.execute(db)
      return rows.map(({ event_id: eventId, quantity, sequence, source }) => ({
        sequence,
        source,
        eventId,
        quantity,
      }))
    },
  }
}

type EvidenceRow = {
  readonly sequence: number
  readonly source: string
  readonly event_id: string
  readonly quantity: number
}

type BilledRow = {
  readonly total_quantity: number
  readonly base_minor: number
  readonly unit_price_minor: number
  readonly price_book_version: string
  readonly currency: string
  readonly closed_at: number
  readonly amount_minor: number
}

type EventRow = Selectable<Tables['usage_event']> & {
  readonly corrects_id: string | null
  readonly right_quantity: number
}

const ofMonth = (table: string, { holder, meter, periodStart }: UsageMonth) => sql`
  ${sql.ref(`${table}.owner_id`)} = ${holder.ownerId}
  and ${sql.ref(`${table}.account`)} = ${holder.agentId}
  and ${sql.ref(`${table}.meter`)} = ${meter}
  and ${sql.ref(`${table}.period_start`)} = ${periodStart}`

/** What the latest correction of an event says, or the event itself. */
const rightQuantity = (table: string) => sql`coalesce((
  select c.quantity from usage_event c where c.corrects = ${sql.ref(`${table}.sequence`)}
  order by c.sequence desc limit 1), ${sql.ref(`${table}.quantity`)})`

/** The events of a month that happened, as they are right. */
const happened = (month: UsageMonth) => sql`
  select * from (
    select e.sequence, e.source, e.event_id, e.unique_key, ${rightQuantity('e')} as quantity
    from usage_event e where ${ofMonth('e', month)} and e.corrects is null) as known
  where quantity > 0`

function toMeter(row: Selectable<MeterTable>): Meter {
  return {
    meter: row.name,
    aggregation: row.aggregation,
    description: row.description,
    definedAt: row.defined_at,
    definedBy: row.defined_by,
  }
}

function toRecorded(row: EventRow): RecordedEvent {
  return {
    sequence: row.sequence,
    holder: { ownerId: row.owner_id, agentId: row.account },
    meter: row.meter,
    quantity: row.quantity,
    uniqueKey: row.unique_key ?? undefined,
    happenedAt: row.happened_at,
    periodStart: row.period_start,
    reason: row.reason ?? undefined,
    corrects: row.corrects_id ?? undefined,
    rightQuantity: row.right_quantity,
  }
}
