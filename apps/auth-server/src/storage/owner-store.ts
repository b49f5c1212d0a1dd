import type { Kysely } from 'kysely'
import type { Owner } from '../owners/owner.ts'
import type { OwnerStore } from '../owners/owner-store.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import type { OwnerTable, Tables } from './tables.ts'

/** Creates the store on Kysely. */
export function createKyselyOwnerStore(db: Kysely<Tables>): OwnerStore {
  const find: OwnerStore['find'] = async (id) => {
    const row = await db.selectFrom('owner').selectAll().where('id', '=', id).executeTakeFirst()
    return row && toOwner(row)
  }

  return {
    find,

    async insert(owner) {
      const result = await db
        .insertInto('owner')
        .values({
          id: owner.id,
          name: owner.name,
          created_at: owner.createdAt,
          deactivated_at: owner.deactivatedAt ?? null,
        })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .executeTakeFirstOrThrow()
      return result.numInsertedOrUpdatedRows === 1n
    },

    async hold(id) {
      // A write that changes nothing: it locks the row, on both databases.
      const result = await db
        .updateTable('owner')
        .set((expression) => ({ name: expression.ref('name') }))
        .where('id', '=', id)
        .where('deactivated_at', 'is', null)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },

    async rename(id, name) {
      await db.updateTable('owner').set({ name }).where('id', '=', id).execute()
      return find(id)
    },

    async deactivate(id, now) {
      await db
        .updateTable('owner')
        .set({ deactivated_at: now })
        .where('id', '=', id)
        .where('deactivated_at', 'is', null)
        .execute()
      return find(id)
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
  const { created_at: createdAt, deactivated_at: deactivatedAt, id, name } = row
  return { id, name, createdAt, ...(deactivatedAt === null ? {} : { deactivatedAt }) }
}
