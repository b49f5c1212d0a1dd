import type { JWK } from 'jose'
import { sql, SqliteAdapter, type Insertable, type Kysely, type Selectable } from 'kysely'
import * as z from 'zod'
import type { SigningKeyRecord, SigningKeyStore } from '../keys/signing-key-store.ts'
import type { SigningKeyTable, Tables } from './tables.ts'

const StoredJwk: z.ZodType<JWK> = z.looseObject({ kty: z.string() })

/** Undoes a transaction whose conditions do not hold any more. */
class LostRaceError extends Error {
  override readonly name = 'LostRaceError'
}

/** Creates the store on Kysely. */
export function createKyselySigningKeyStore(db: Kysely<Tables>): SigningKeyStore {
  return {
    async list() {
      const rows = await db
        .selectFrom('signing_key')
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('kid')
        .execute()
      return rows.map(toRecord)
    },

    insertFirst: async (key) => insertUnlessTaken(db, key),
    insertNext: async (key) => insertUnlessTaken(db, key),

    replaceNext: async (kid, key) =>
      allOrNothing(db, async (transaction) => {
        requireOne(await removeIfIn(transaction, kid, 'next'))
        await insert(transaction, key)
      }),

    rotate: async ({ activate, next, now, retire }) =>
      allOrNothing(db, async (transaction) => {
        const retired = await transaction
          .updateTable('signing_key')
          .set({ state: 'retired', retired_at: now, sealed_private_jwk: '' })
          .where('kid', '=', retire)
          .where('state', '=', 'active')
          .executeTakeFirst()
        requireOne(retired.numUpdatedRows)
        const activated = await transaction
          .updateTable('signing_key')
          .set({ state: 'active', activated_at: now })
          .where('kid', '=', activate)
          .where('state', '=', 'next')
          .executeTakeFirst()
        requireOne(activated.numUpdatedRows)
        await insert(transaction, next)
      }),

    replaceAll: async ({ active, activeKid, next }) =>
      allOrNothing(db, async (transaction) => {
        requireOne(await removeIfIn(transaction, activeKid, 'active'))
        await transaction.deleteFrom('signing_key').execute()
        await insert(transaction, active)
        await insert(transaction, next)
      }),

    reseal: async (kid, { from, to }) =>
      withoutTrace(db, async () => {
        const { numUpdatedRows } = await db
          .updateTable('signing_key')
          .set({ sealed_private_jwk: to })
          .where('kid', '=', kid)
          .where('sealed_private_jwk', '=', from)
          .executeTakeFirst()
        return numUpdatedRows === 1n
      }),

    async removeRetired(retiredAt) {
      await db
        .deleteFrom('signing_key')
        .where('state', '=', 'retired')
        .where('retired_at', '<=', retiredAt)
        .execute()
    },
  }
}

/** Carries out all of the work, or nothing of it when a condition fails. */
async function allOrNothing(
  db: Kysely<Tables>,
  work: (transaction: Kysely<Tables>) => Promise<void>,
): Promise<boolean> {
  try {
    await (db.isTransaction ? withinSavepoint(db, work) : db.transaction().execute(work))
    return true
  } catch (error) {
    if (error instanceof LostRaceError) return false
    throw error
  }
}

/** In a transaction that goes on, whatever becomes of the work. */
async function withinSavepoint(
  db: Kysely<Tables>,
  work: (transaction: Kysely<Tables>) => Promise<void>,
): Promise<void> {
  await sql`savepoint signing_keys`.execute(db)
  try {
    await work(db)
  } catch (error) {
    if (error instanceof LostRaceError) await sql`rollback to savepoint signing_keys`.execute(db)
    throw error
  }
  await sql`release savepoint signing_keys`.execute(db)
}

function requireOne(count: bigint): void {
  if (count !== 1n) throw new LostRaceError('another server was faster')
}

async function removeIfIn(
  db: Kysely<Tables>,
  kid: string,
  state: SigningKeyRecord['state'],
): Promise<bigint> {
  const { numDeletedRows } = await db
    .deleteFrom('signing_key')
    .where('kid', '=', kid)
    .where('state', '=', state)
    .executeTakeFirst()
  return numDeletedRows
}

async function insert(db: Kysely<Tables>, key: SigningKeyRecord): Promise<void> {
  await db.insertInto('signing_key').values(toRow(key)).execute()
}

/** The index on `state` decides who is first. */
async function insertUnlessTaken(db: Kysely<Tables>, key: SigningKeyRecord): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('signing_key')
    .values(toRow(key))
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

/**
 * SQLite leaves what was overwritten in the file until the space is used again. Attack prevented:
 * reading a private key that had been stored unsealed out of a later backup.
 */
async function withoutTrace<Value>(db: Kysely<Tables>, work: () => Promise<Value>): Promise<Value> {
  if (!(db.getExecutor().adapter instanceof SqliteAdapter)) return work()
  await sql`pragma secure_delete = on`.execute(db)
  try {
    const value = await work()
    await sql`pragma wal_checkpoint(truncate)`.execute(db)
    return value
  } finally {
    await sql`pragma secure_delete = off`.execute(db)
  }
}

function toRow(key: SigningKeyRecord): Insertable<SigningKeyTable> {
  return {
    kid: key.kid,
    algorithm: key.algorithm,
    public_jwk: JSON.stringify(key.publicJwk),
    sealed_private_jwk: key.state === 'retired' ? '' : key.sealedPrivateKey,
    state: key.state,
    created_at: key.createdAt,
    activated_at: key.state === 'next' ? null : key.activatedAt,
    retired_at: key.state === 'retired' ? key.retiredAt : null,
  }
}

function toRecord(row: Selectable<SigningKeyTable>): SigningKeyRecord {
  const { activated_at: activatedAt, retired_at: retiredAt, state } = row
  const key = {
    kid: row.kid,
    algorithm: row.algorithm,
    publicJwk: StoredJwk.parse(JSON.parse(row.public_jwk)),
    createdAt: row.created_at,
  }
  const sealedPrivateKey = row.sealed_private_jwk
  if (state === 'next') return { ...key, state, sealedPrivateKey }
  if (state === 'active' && activatedAt !== null) {
    return { ...key, state, sealedPrivateKey, activatedAt }
  }
  if (state === 'retired' && activatedAt !== null && retiredAt !== null) {
    return { ...key, state, activatedAt, retiredAt }
  }
  throw new Error(`the row of the signing key ${row.kid} makes no sense`)
}
