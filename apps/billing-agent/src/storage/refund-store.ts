import { sql, type Kysely } from 'kysely'
import type { RefundStore } from '../refunds/refund-store.ts'
import type { Tables } from './tables.ts'

/** Creates the store on Kysely. */
export function createKyselyRefundStore(db: Kysely<Tables>): RefundStore {
  return {
    async insert({ amountMinor, createdAt, holdId, postingId, reason, refundId }) {
      await db
        .insertInto('refund')
        .values({
          id: refundId,
          hold_id: holdId,
          posting_id: postingId,
          amount_minor: amountMinor,
          reason,
          created_at: createdAt,
        })
        .execute()
    },

    async sumOf(holdId) {
      const { rows } = await sql<{ total: number | null }>`
        select cast(sum(amount_minor) as bigint) as total from refund where hold_id = ${holdId}
      `.execute(db)
      return rows[0]?.total ?? 0
    },
  }
}
