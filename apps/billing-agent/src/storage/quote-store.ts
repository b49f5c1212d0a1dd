import type { Kysely, Selectable } from 'kysely'
import type { QuoteStore } from '../quotes/quote-store.ts'
import { createStatement } from './statement.ts'
import type { QuoteTable, Tables } from './tables.ts'

const insertQuote = createStatement<QuoteTable, unknown>((db, row) =>
  db.insertInto('quote').values({
    id: row.id,
    owner_id: row.owner_id,
    account: row.account,
    service: row.service,
    units: row.units,
    base_minor: row.base_minor,
    unit_price_minor: row.unit_price_minor,
    amount_minor: row.amount_minor,
    currency: row.currency,
    price_book_version: row.price_book_version,
    expires_at: row.expires_at,
  }),
)

const selectQuote = createStatement<
  { id: string; ownerId: string; account: string },
  Selectable<QuoteTable>
>((db, { account, id, ownerId }) =>
  db
    .selectFrom('quote')
    .selectAll()
    .where('id', '=', id)
    .where('owner_id', '=', ownerId)
    .where('account', '=', account),
)

/** Creates the store on Kysely. */
export function createKyselyQuoteStore(db: Kysely<Tables>): QuoteStore {
  return {
    async insert({ agentId, ownerId }, quote) {
      await insertQuote(db, {
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
    },

    async find({ agentId, ownerId }, quoteId) {
      const [row] = (await selectQuote(db, { id: quoteId, ownerId, account: agentId })).rows
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
