import type { Kysely, Selectable } from 'kysely'
import * as z from 'zod'
import type { ApiKeyRecord, ApiKeyStore } from '../api-keys/api-key-store.ts'
import type { CredentialAt } from '../credentials/credential.ts'
import {
  createCredentialWrites,
  credentialWithin,
  toCredentialColumns,
  toCredentialRecord,
  type CredentialRow,
} from './credential-rows.ts'
import type { ApiKeyTable, Tables } from './tables.ts'

/** Creates the store on Kysely. */
export function createKyselyApiKeyStore(db: Kysely<Tables>): ApiKeyStore {
  const writes = createCredentialWrites(db, 'api_key')
  const select = () =>
    db
      .selectFrom('api_key')
      .leftJoin('credential_use', 'credential_use.credential_id', 'api_key.id')
      .selectAll('api_key')
      .select('credential_use.last_used_at')

  async function find({ id, within }: CredentialAt) {
    const row = await select()
      .where('id', '=', id)
      .where(credentialWithin(within))
      .executeTakeFirst()
    return row && toRecord(row)
  }

  return {
    ...writes,
    find,

    async insert(key) {
      await db
        .insertInto('api_key')
        .values({
          ...toCredentialColumns(key),
          scopes: JSON.stringify(key.scopes),
          rate_limit_tier: key.rateLimitTier ?? null,
          key_sha256: key.keyHash,
        })
        .execute()
      await writes.keepLastUse(key)
    },

    async findByHash(keyHash) {
      const row = await select().where('key_sha256', '=', keyHash).executeTakeFirst()
      return row && toRecord(row)
    },

    async listByAgent(agentId, within) {
      const rows = await select()
        .where('agent_id', '=', agentId)
        .where(credentialWithin(within))
        .orderBy('created_at', 'desc')
        .orderBy('id')
        .execute()
      return rows.map(toRecord)
    },

    async deactivate(at, now) {
      await writes.deactivate(at, now)
      return find(at)
    },
  }
}

function toRecord(row: Selectable<ApiKeyTable> & CredentialRow): ApiKeyRecord {
  return {
    ...toCredentialRecord(row),
    scopes: z.array(z.string()).parse(JSON.parse(row.scopes)),
    rateLimitTier: row.rate_limit_tier ?? undefined,
    keyHash: row.key_sha256,
  }
}
