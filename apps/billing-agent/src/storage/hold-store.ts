import { sql, type Kysely, type Selectable } from 'kysely'
import type { HoldRecord, HoldStore } from '../holds/hold-store.ts'
import { isGivenBackWhole } from './given-back-whole.ts'
import { endHold, insertGrants, insertHold, selectHold } from './hold-statements.ts'
import type { HoldTable, Tables } from './tables.ts'

/** Creates the store on Kysely. */
export function createKyselyHoldStore(db: Kysely<Tables>): HoldStore {
  return {
    async insert(hold, grantPath) {
      const { changes } = await insertHold(db, {
        id: hold.holdId,
        quote_id: hold.quoteId,
        owner_id: hold.ownerId,
        account: hold.account,
        service: hold.service,
        reference: hold.reference,
        state: hold.state,
        amount_minor: hold.amount.amountMinor,
        captured_minor: hold.capturedMinor,
        currency: hold.amount.currency,
        created_at: hold.createdAt,
        expires_at: hold.expiresAt,
        ended_at: hold.endedAt ?? null,
      })
      if (changes !== 1) return false
      const grants = [...new Set(grantPath)]
      await insertGrants(
        db,
        grants.map((grantId) => ({ grant_id: grantId, hold_id: hold.holdId })),
      )
      return true
    },

    async find({ agentId, ownerId }, holdId) {
      const [row] = (await selectHold(db, { id: holdId, ownerId, account: agentId })).rows
      return row && toRecord(row)
    },

    async findOwned(ownerId, holdId) {
      const row = await db
        .selectFrom('hold')
        .selectAll()
        .where('id', '=', holdId)
        .where('owner_id', '=', ownerId)
        .executeTakeFirst()
      return row && toRecord(row)
    },

    async listExpired(now, limit) {
      const rows = await db
        .selectFrom('hold')
        .selectAll()
        .where('state', '=', 'held')
        .where('expires_at', '<=', now)
        .orderBy('expires_at')
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map(toRecord)
    },

    async end(holdId, { capturedMinor, endedAt, isExpired = false }) {
      await endHold(db, {
        id: holdId,
        state: capturedMinor > 0 ? 'captured' : 'released',
        capturedMinor,
        endedAt,
        expired: isExpired ? 1 : 0,
      })
    },

    async listOpen({ account, currency, grantId, limit, ownerId }) {
      const rows = await db
        .selectFrom('hold_grant')
        .innerJoin('hold', 'hold.id', 'hold_grant.hold_id')
        .selectAll('hold')
        .where('hold_grant.grant_id', '=', grantId)
        .where('hold.state', '=', 'held')
        .$if(ownerId !== undefined, (query) => query.where('hold.owner_id', '=', ownerId ?? ''))
        .$if(account !== undefined, (query) => query.where('hold.account', '=', account ?? ''))
        .$if(currency !== undefined, (query) => query.where('hold.currency', '=', currency ?? ''))
        .orderBy('hold.created_at')
        .orderBy('hold.id')
        .limit(limit)
        .execute()
      return rows.map(toRecord)
    },

    async sumBelow({ currency, grantId, ownerId }, now) {
      const { rows } = await sql<{ held: number | null; captured: number | null }>`
        select
          cast(sum(case when state = 'held' and expires_at > ${now} then amount_minor else 0 end) as bigint) as held,
          cast(sum(captured_minor) as bigint) as captured
        from hold_grant join hold on hold.id = hold_grant.hold_id
        where grant_id = ${grantId} and currency = ${currency}
          and (cast(${ownerId ?? null} as text) is null or owner_id = ${ownerId ?? null})
      `.execute(db)
      return { heldMinor: rows[0]?.held ?? 0, capturedMinor: rows[0]?.captured ?? 0 }
    },

    async sumHeld(grantIds, now) {
      if (grantIds.length === 0) return []
      const below = db
        .selectFrom('hold_grant')
        .select('hold_id')
        .where('grant_id', 'in', [...grantIds])
      const rows = await db
        .selectFrom('hold')
        .select(({ fn }) => ['currency', fn.sum<number | string>('amount_minor').as('held')])
        .where('id', 'in', below)
        .where('state', '=', 'held')
        .where('expires_at', '>', now)
        .groupBy('currency')
        .orderBy('currency')
        .execute()
      return rows.map(({ currency, held }) => ({ currency, heldMinor: Number(held) }))
    },

    async listUnbilled({ agentId, ownerId }, currency) {
      // From one day with captures to the next, as the index has them. Crossed: SQLite would begin with all holds.
      const { rows } = await sql<Selectable<HoldTable>>`
        with recursive day (number) as (
          select min(ended_at / 86400) from hold where state = 'captured'
          union all
          select (select min(ended_at / 86400) from hold
            where state = 'captured' and ended_at / 86400 > day.number)
          from day where day.number is not null)
        select hold.* from day cross join hold
        left join statement_line on statement_line.hold_id = hold.id
        where hold.ended_at / 86400 = day.number and hold.state = 'captured'
          and hold.account = ${agentId} and hold.currency = ${currency}
          and hold.owner_id = ${ownerId} and statement_line.hold_id is null
          and not ${isGivenBackWhole}
        order by hold.ended_at, hold.id
      `.execute(db)
      return rows.map(toRecord)
    },
  }
}

function toRecord(row: Selectable<HoldTable>): HoldRecord {
  return {
    holdId: row.id,
    quoteId: row.quote_id,
    ownerId: row.owner_id,
    account: row.account,
    service: row.service,
    reference: row.reference,
    state: row.state,
    amount: { amountMinor: row.amount_minor, currency: row.currency },
    capturedMinor: row.captured_minor,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    endedAt: row.ended_at ?? undefined,
    isExpired: row.expired === 1,
  }
}
