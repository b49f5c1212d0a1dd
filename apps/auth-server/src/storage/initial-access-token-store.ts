import type { Kysely, Selectable } from 'kysely'
import * as z from 'zod'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import type {
  InitialAccessTokenRecord,
  InitialAccessTokenStore,
} from '../registration/initial-access-token.ts'
import type { InitialAccessTokenTable, Tables } from './tables.ts'

const StringList = z.array(z.string())

/** Creates the store on Kysely. */
export function createKyselyInitialAccessTokenStore(db: Kysely<Tables>): InitialAccessTokenStore {
  return {
    async insert(token) {
      await db
        .insertInto('initial_access_token')
        .values({
          id: token.id,
          owner_id: token.ownerId,
          label: token.label,
          scopes: JSON.stringify(token.scopes),
          audiences: JSON.stringify(token.audiences),
          max_registrations: token.maxRegistrations,
          registrations: token.registrations,
          token_sha256: token.tokenHash,
          created_at: token.createdAt,
          expires_at: token.expiresAt,
          deactivated_at: token.deactivatedAt ?? null,
        })
        .execute()
    },

    async findByHash(tokenHash) {
      const row = await db
        .selectFrom('initial_access_token')
        .selectAll()
        .where('token_sha256', '=', tokenHash)
        .executeTakeFirst()
      return row && toRecord(row)
    },

    async list(within) {
      let query = db
        .selectFrom('initial_access_token')
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id')
      if (within !== EVERY_OWNER) query = query.where('owner_id', '=', within)
      return (await query.execute()).map(toRecord)
    },

    async consume(id, now) {
      // The conditions stand in the statement: of two registrations at once for the last place, one wins.
      const result = await db
        .updateTable('initial_access_token')
        .set((column) => ({ registrations: column('registrations', '+', 1) }))
        .where('id', '=', id)
        .where('deactivated_at', 'is', null)
        .where('expires_at', '>', now)
        .whereRef('registrations', '<', 'max_registrations')
        .executeTakeFirstOrThrow()
      return result.numUpdatedRows === 1n
    },

    async deactivate({ id, within }, now) {
      let write = db
        .updateTable('initial_access_token')
        .set({ deactivated_at: now })
        .where('id', '=', id)
        .where('deactivated_at', 'is', null)
      let read = db.selectFrom('initial_access_token').selectAll().where('id', '=', id)
      if (within !== EVERY_OWNER) {
        write = write.where('owner_id', '=', within)
        read = read.where('owner_id', '=', within)
      }
      const { numUpdatedRows } = await write.executeTakeFirst()
      const row = await read.executeTakeFirst()
      return row && { record: toRecord(row), isNew: numUpdatedRows === 1n }
    },
  }
}

function toRecord(row: Selectable<InitialAccessTokenTable>): InitialAccessTokenRecord {
  return {
    id: row.id,
    ownerId: row.owner_id,
    label: row.label,
    scopes: StringList.parse(JSON.parse(row.scopes)),
    audiences: StringList.parse(JSON.parse(row.audiences)),
    maxRegistrations: row.max_registrations,
    registrations: row.registrations,
    tokenHash: row.token_sha256,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    deactivatedAt: row.deactivated_at ?? undefined,
  }
}
