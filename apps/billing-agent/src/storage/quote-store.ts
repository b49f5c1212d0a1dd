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

    async listUnused({ afterId, before, limit }) {
      const rows = await db
        .selectFrom((eb) =>
          eb
            .selectFrom('quote')
            .select(['id', 'expires_at'])
            .where('id', '>', afterId)
            .orderBy('id')
            .limit(limit)
            .as('looked'),
        )
        .leftJoin('hold', 'hold.quote_id', 'looked.id')
        .select(['looked.id', 'looked.expires_at', 'hold.id as hold_id'])
        .orderBy('looked.id')
        .execute()
      const unused = rows.filter((row) => row.hold_id === null && row.expires_at < before)
      const lastId = rows.length < limit ? undefined : rows.at(-1)?.id
      return { unusedIds: unused.map(({ id }) => id), lastId }
    },

    async remove(quoteIds) {
      const used = db.selectFrom('hold').select('quote_id').where('quote_id', 'in', quoteIds)
      const { numDeletedRows } = await db
        .deleteFrom('quote')
        .where('id', 'in', quoteIds)
        .where('id', 'not in', used)
        .executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}
