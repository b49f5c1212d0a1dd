import type { JWK } from 'jose'
import { sql, type Kysely } from 'kysely'
import * as z from 'zod'
import type { SigningKeyStore } from '../keys/signing-key-store.ts'
import type { Tables } from './tables.ts'

const StoredJwk: z.ZodType<JWK> = z.looseObject({ kty: z.string() })

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
      return rows.map((row) => ({
        kid: row.kid,
        algorithm: row.algorithm,
        publicJwk: StoredJwk.parse(JSON.parse(row.public_jwk)),
        privateJwk: StoredJwk.parse(JSON.parse(row.private_jwk)),
        createdAt: row.created_at,
      }))
    },

    async insertFirst(key) {
      // One statement, so that of two servers that start on an empty store only one adds a key.
      await sql`
        insert into signing_key (kid, algorithm, public_jwk, private_jwk, created_at)
        select ${key.kid}, ${key.algorithm}, ${JSON.stringify(key.publicJwk)},
          ${JSON.stringify(key.privateJwk)}, ${key.createdAt}
        where not exists (select 1 from signing_key)
      `.execute(db)
    },
  }
}
