import type { Kysely, Selectable } from 'kysely'
import type { HoldRecord, HoldStore } from '../holds/hold-store.ts'
import type { HoldTable, Tables } from './tables.ts'

/** Creates the store on Kysely. */
export function createKyselyHoldStore(db: Kysely<Tables>): HoldStore {
  return {
    async insert(hold) {
      const result = await db
        .insertInto('hold')
        .values({
          id: hold.holdId,
          quote_id: hold.quoteId,
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
        .onConflict((conflict) => conflict.column('quote_id').doNothing())
        .executeTakeFirstOrThrow()
      return result.numInsertedOrUpdatedRows === 1n
    },

    async find(account, holdId) {
      const row = await db
        .selectFrom('hold')
        .selectAll()
        .where('id', '=', holdId)
        .where('account', '=', account)
        .executeTakeFirst()
      return row && toRecord(row)
    },

    async end(holdId, { capturedMinor, endedAt }) {
      await db
        .updateTable('hold')
        .set({
          state: capturedMinor > 0 ? 'captured' : 'released',
          captured_minor: capturedMinor,
          ended_at: endedAt,
        })
        .where('id', '=', holdId)
        .where('state', '=', 'held')
        .execute()
    },

    async listUnbilled(account, currency) {
      const rows = await db
        .selectFrom('hold')
        .leftJoin('statement_line', 'statement_line.hold_id', 'hold.id')
        .selectAll('hold')
        .where('hold.account', '=', account)
        .where('hold.currency', '=', currency)
        .where('hold.state', '=', 'captured')
        .where('statement_line.hold_id', 'is', null)
        .orderBy('hold.ended_at')
        .orderBy('hold.id')
        .execute()
      return rows.map(toRecord)
    },
  }
}

function toRecord(row: Selectable<HoldTable>): HoldRecord {
  return {
    holdId: row.id,
    quoteId: row.quote_id,
    account: row.account,
    service: row.service,
    reference: row.reference,
    state: row.state,
    amount: { amountMinor: row.amount_minor, currency: row.currency },
    capturedMinor: row.captured_minor,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    endedAt: row.ended_at ?? undefined,
  }
}
