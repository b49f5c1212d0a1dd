import type { Kysely, Selectable } from 'kysely'
import type { PriceBook } from '@deputy/contracts/billing'
import type { PriceBookStore } from '../prices/price-book.ts'
import type { PriceBookTable, Tables } from './tables.ts'

/** Creates the store on Kysely. */
export function createKyselyPriceBookStore(db: Kysely<Tables>): PriceBookStore {
  async function read(row: Selectable<PriceBookTable>): Promise<PriceBook> {
    const prices = await db
      .selectFrom('price')
      .selectAll()
      .where('version', '=', row.version)
      .orderBy('service')
      .execute()
    return {
      version: row.version,
      effectiveAt: row.effective_at,
      publishedBy: row.published_by,
      prices: prices.map((price) => ({
        service: price.service,
        baseMinor: price.base_minor,
        unitPriceMinor: price.unit_price_minor,
        currency: price.currency,
      })),
    }
  }

  return {
    async findCurrent(now) {
      const row = await db
        .selectFrom('price_book')
        .selectAll()
        .where('effective_at', '<=', now)
        .orderBy('effective_at', 'desc')
        .orderBy('number', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row && read(row)
    },

    async list(limit) {
      const rows = await db
        .selectFrom('price_book')
        .selectAll()
        .orderBy('effective_at', 'desc')
        .orderBy('number', 'desc')
        .limit(limit)
        .execute()
      return Promise.all(rows.map(read))
    },

    async insert({ effectiveAt, prices, publishedBy, version }) {
      const known = await db
        .selectFrom('price_book')
        .select('version')
        .where('version', '=', version)
        .executeTakeFirst()
      if (known !== undefined) return false
      await db
        .insertInto('price_book')
        .values({ version, effective_at: effectiveAt, published_by: publishedBy })
        .execute()
      const rows = prices.map(({ baseMinor, currency, service, unitPriceMinor }) => ({
        version,
        service,
        base_minor: baseMinor,
        unit_price_minor: unitPriceMinor,
        currency,
      }))
      await db.insertInto('price').values(rows).execute()
      return true
    },
  }
}
