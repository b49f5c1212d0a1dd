import type { Kysely } from 'kysely'
import type { Owner } from '../owners/owner.ts'
import type { OwnerStore } from '../owners/owner-store.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import type { OwnerTable, Tables } from './tables.ts'

/** Creates the store on Kysely. */
export function createKyselyOwnerStore(db: Kysely<Tables>): OwnerStore {
  return {
    async insert(owner) {
      const result = await db
        .insertInto('owner')
        .values({ id: owner.id, name: owner.name, created_at: owner.createdAt })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .executeTakeFirstOrThrow()
      return result.numInsertedOrUpdatedRows === 1n
    },

    async find(id) {
      const row = await db.selectFrom('owner').selectAll().where('id', '=', id).executeTakeFirst()
      return row && toOwner(row)
    },

    async list({ afterId, limit, within }) {
      let query = db.selectFrom('owner').selectAll().orderBy('id').limit(limit)
      if (within !== EVERY_OWNER) query = query.where('id', '=', within)
      if (afterId !== undefined) query = query.where('id', '>', afterId)
      return (await query.execute()).map(toOwner)
    },
  }
}

function toOwner(row: OwnerTable): Owner {
  return { id: row.id, name: row.name, createdAt: row.created_at }
}
