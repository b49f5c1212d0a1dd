import type { Kysely } from 'kysely'
import type { QuoteStore } from '../quotes/quote-store.ts'
import type { Tables } from './tables.ts'

/** Creates the store on Kysely. */
export function createKyselyQuoteStore(db: Kysely<Tables>): QuoteStore {
  return {
    async insert({ agentId, ownerId }, quote) {
      await db
        .insertInto('quote')
        .values({
          id: quote.quoteId,
          owner_id: ownerId,
          account: agentId,
          service: quote.service,
          units: quote.units,
          base_minor: quote.baseMinor,
          unit_price_minor: quote.unitPriceMinor,
          amount_minor: quote.amount.amountMinor,
          currency: quote.amount.currency,
          price_book_version: quote.priceBookVersion,
          expires_at: quote.expiresAt,
        })
        .execute()
    },

    async find({ agentId, ownerId }, quoteId) {
      const row = await db
        .selectFrom('quote')
        .selectAll()
        .where('id', '=', quoteId)
        .where('owner_id', '=', ownerId)
        .where('account', '=', agentId)
        .executeTakeFirst()
      return (
        row && {
          quoteId: row.id,
          service: row.service,
          units: row.units,
          baseMinor: row.base_minor,
          unitPriceMinor: row.unit_price_minor,
          amount: { amountMinor: row.amount_minor, currency: row.currency },
          priceBookVersion: row.price_book_version,
          expiresAt: row.expires_at,
        }
      )
    },
  }
}
