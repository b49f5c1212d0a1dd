import { sql, type Kysely, type Selectable } from 'kysely'
import type { QuotaRecord, QuotaStore, QuotaViewer, Spender } from '../quotas/quota-store.ts'
import { createStatement } from './statement.ts'
import { toMeasure, toScope, toScopeId, toUnit, toVersion, type EventRow } from './quota-rows.ts'
import type { QuotaTable, Tables } from './tables.ts'

const isAnySet = createStatement<
  { ownerId: string; measure: 'money' | 'usage'; unit: string },
  { id: string }
>((db, { measure, ownerId, unit }) =>
  db
    .selectFrom('quota')
    .select('id')
    .where('owner_id', '=', ownerId)
    .where('measure', '=', measure)
    .where('unit', '=', unit)
    .limit(sql.lit(1)),
)

const endCharges = createStatement<
  { sourceId: string; state: 'used' | 'given_back'; used: number },
  unknown
>((db, { sourceId, state, used }) =>
  db
    .updateTable('quota_charge')
    .set({ state, used })
    .where('source_id', '=', sourceId)
    .where('state', '=', sql.lit('held')),
)

const selectStates = createStatement<{ sourceId: string }, { state: string }>((db, { sourceId }) =>
  db.selectFrom('quota_charge').select('state').where('source_id', '=', sourceId),
)

/** Creates the store on Kysely. `hasAnnounced` is called within the transaction that an event is part of. */
export function createKyselyQuotaStore(
  db: Kysely<Tables>,
  hasAnnounced: (threshold: number) => void,
): QuotaStore {
  return {
    async open({ measure, ownerId, period, scope }, quotaId) {
      const key = {
        owner_id: ownerId,
        scope_kind: scope.kind,
        scope_id: toScopeId(scope, ownerId),
        measure: measure.kind,
        unit: toUnit(measure),
        period,
      }
      await db
        .insertInto('quota')
        .values({ id: quotaId, ...key })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
      let query = db.selectFrom('quota').selectAll()
      for (const [column, value] of Object.entries(key))
        query = query.where(sql.ref(column), '=', value)
      return toRecord(await query.executeTakeFirstOrThrow())
    },

    async set({ agentId, cap, credentialId, enforcement, quotaId, reason, setAt, ...version }) {
      await db
        .insertInto('quota_version')
        .values({
          quota_id: quotaId,
          version: version.version,
          cap,
          enforcement,
          reason,
          set_at: setAt,
          agent_id: agentId,
          subject: version.subject,
          credential_id: credentialId,
          token_sha256: version.tokenSha256 ?? null,
          grant_id: version.grantId ?? null,
          trace_id: version.traceId ?? null,
        })
        .execute()
    },

    async find(viewer, quotaId) {
      const row = await selectVisible(db, viewer).where('id', '=', quotaId).executeTakeFirst()
      return row && toRecord(row)
    },

    async list(viewer, { afterId, limit }) {
      const rows = await selectVisible(db, viewer)
        .where('id', '>', afterId)
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map(toRecord)
    },

    async listVersions(quotaId, limit) {
      const rows = await db
        .selectFrom('quota_version')
        .selectAll()
        .where('quota_id', '=', quotaId)
        .orderBy('version', 'desc')
        .limit(limit)
        .execute()
      return rows.map(toVersion)
    },

    async listBinding(spender, measure) {
      const { ownerId } = spender
      const unit = { measure: measure.kind, unit: toUnit(measure) }
      // Most have none: one look at an index says so.
      if ((await isAnySet(db, { ownerId, ...unit })).rows.length === 0) return []
      const rows = await selectVisible(db, { ownerId, only: spender }, ['tenant'])
        .where('measure', '=', unit.measure)
        .where('unit', '=', unit.unit)
        .orderBy('id')
        .execute()
      return rows.map(toRecord)
    },

    async useOf(quotaId, periodStart, now) {
      const row = await db
        .selectFrom('quota_use')
        .select(['held', 'used'])
        .where('quota_id', '=', quotaId)
        .where('period_start', '=', periodStart)
        .executeTakeFirst()
      const expired = await db
        .selectFrom('quota_charge')
        .select(({ fn }) => fn.sum<number | string | null>('amount').as('amount'))
        .where('quota_id', '=', quotaId)
        .where('period_start', '=', periodStart)
        .where('state', '=', 'held')
        .where('expires_at', '<=', now)
        .executeTakeFirst()
      return { held: (row?.held ?? 0) - Number(expired?.amount ?? 0), used: row?.used ?? 0 }
    },

    async countedOf(quotaId, periodStart, sequence) {
      const { rows } = await sql<{ used: number }>`
        select cast(coalesce(sum(used), 0) as bigint) as used from quota_charge
        where quota_id = ${quotaId} and period_start = ${periodStart} and source_id in (
          select source || '/' || event_id from usage_event where sequence = ${sequence}
          union all
          select source || '/' || event_id from usage_event where corrects = ${sequence})
      `.execute(db)
      return rows[0]?.used ?? 0
    },

    async expire(quotaId, now) {
      await db
        .updateTable('quota_charge')
        .set({ state: 'given_back' })
        .where('quota_id', '=', quotaId)
        .where('state', '=', 'held')
        .where('expires_at', '<=', now)
        .execute()
    },

    async charge({ amount, expiresAt, isBound, periodStart, quotaId, sourceId, state }) {
      await db
        .insertInto('quota_charge')
        .values({
          source_id: sourceId,
          quota_id: quotaId,
          period_start: periodStart,
          amount,
          state,
          used: state === 'used' ? amount : 0,
          is_bound: isBound ? 1 : 0,
          expires_at: expiresAt ?? null,
        })
        .execute()
    },

    async capture(sourceId, used) {
      const { rows } = await selectStates(db, { sourceId })
      if (rows.some(({ state }) => state === 'given_back')) return false
      if (rows.length > 0) await endCharges(db, { sourceId, state: 'used', used })
      return true
    },

    async giveBack(sourceId) {
      await endCharges(db, { sourceId, state: 'given_back', used: 0 })
    },

    async announce(event) {
      const known = await db
        .selectFrom('quota_event')
        .select('id')
        .where('quota_id', '=', event.quotaId)
        .where('period_start', '=', event.periodStart)
        .where('threshold', '=', event.threshold)
        .executeTakeFirst()
      if (known !== undefined) return
      await db
        .insertInto('quota_event')
        .values({
          quota_id: event.quotaId,
          period_start: event.periodStart,
          threshold: event.threshold,
          cap: event.cap,
          spent: event.spent,
          occurred_at: event.occurredAt,
          agent_id: event.agentId,
          trace_id: event.traceId ?? null,
        })
        .execute()
      hasAnnounced(event.threshold)
    },

    async listEvents({ afterId, limit, viewer }) {
      const rows = await db
        .selectFrom('quota_event')
        .innerJoin(selectVisible(db, viewer).as('quota'), 'quota.id', 'quota_event.quota_id')
        .selectAll('quota_event')
        .select(['owner_id', 'scope_kind', 'scope_id', 'measure', 'unit', 'period'])
        .where('quota_event.id', '>', afterId)
        .orderBy('quota_event.id')
        .limit(limit)
        .execute()
      return rows.map(toEvent)
    },

    async newestEventId() {
      const row = await db
        .selectFrom('quota_event')
        .select(({ fn }) => fn.max('id').as('newest'))
        .executeTakeFirst()
      return row?.newest ?? 0
    },
  }
}

/** Quotas that a viewer sees: those that bind it by name, and `also` those of these kinds; an auditor all. */
function selectVisible(
  db: Kysely<Tables>,
  { only, ownerId }: QuotaViewer,
  also: readonly 'tenant'[] = [],
) {
  return db
    .selectFrom('quota')
    .selectAll()
    .$if(ownerId !== undefined, (query) => query.where('owner_id', '=', ownerId ?? ''))
    .$if(only !== undefined, (query) =>
      query.where((eb) =>
        eb.or([
          ...also.map((kind) => eb('scope_kind', '=', kind)),
          ...namesOf(only).map(([kind, ids]) =>
            eb.and([eb('scope_kind', '=', kind), eb('scope_id', 'in', ids)]),
          ),
        ]),
      ),
    )
}

function namesOf(
  only: Omit<Spender, 'ownerId'> | undefined,
): readonly (readonly ['agent' | 'grant', readonly string[]])[] {
  const names = [
    ['agent', only?.agentIds ?? []],
    ['grant', only?.grantIds ?? []],
  ] as const
  return names.filter(([, ids]) => ids.length > 0)
}

function toRecord(row: Selectable<QuotaTable>): QuotaRecord {
  return {
    quotaId: row.id,
    ownerId: row.owner_id,
    scope: toScope(row),
    measure: toMeasure(row),
    period: row.period,
    cap: row.cap,
    enforcement: row.enforcement,
    version: row.version,
  }
}

function toEvent(row: EventRow) {
  return {
    eventId: row.id,
    quotaId: row.quota_id,
    ownerId: row.owner_id,
    scope: toScope(row),
    measure: toMeasure(row),
    period: row.period,
    periodStart: row.period_start,
    threshold: row.threshold === 80 ? (80 as const) : (100 as const),
    cap: row.cap,
    spent: row.spent,
    occurredAt: row.occurred_at,
    agentId: row.agent_id,
    traceId: row.trace_id ?? undefined,
  }
}
