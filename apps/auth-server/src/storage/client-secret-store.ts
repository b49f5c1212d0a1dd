import type { Kysely, Selectable } from 'kysely'
import type { ClientSecretRecord, ClientSecretStore } from '../clients/client-secret-store.ts'
import type { CredentialAt } from '../credentials/credential.ts'
import {
  createCredentialWrites,
  credentialWithin,
  toCredentialColumns,
  toCredentialRecord,
} from './credential-rows.ts'
import type { ClientSecretTable, Tables } from './tables.ts'

/** Creates the store on Kysely. */
export function createKyselyClientSecretStore(db: Kysely<Tables>): ClientSecretStore {
  const writes = createCredentialWrites(db, 'client_secret')

  async function find({ id, within }: CredentialAt) {
    const row = await db
      .selectFrom('client_secret')
      .selectAll()
      .where('id', '=', id)
      .where(credentialWithin(within))
      .executeTakeFirst()
    return row && toRecord(row)
  }

  return {
    ...writes,
    find,

    async insert(secret) {
      await db
        .insertInto('client_secret')
        .values({ ...toCredentialColumns(secret), secret_sha256: secret.secretHash })
        .execute()
    },

    async listByAgent(agentId, within) {
      const rows = await db
        .selectFrom('client_secret')
        .selectAll()
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

function toRecord(row: Selectable<ClientSecretTable>): ClientSecretRecord {
  return { ...toCredentialRecord(row), secretHash: row.secret_sha256 }
}
