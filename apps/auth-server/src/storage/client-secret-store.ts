import type { Kysely, Selectable } from 'kysely'
import type { ClientSecretRecord, ClientSecretStore } from '../clients/client-secret-store.ts'
import type { CredentialAt } from '../credentials/credential.ts'
import {
  createCredentialWrites,
  credentialWithin,
  toCredentialColumns,
  toCredentialRecord,
  type CredentialRow,
} from './credential-rows.ts'
import type { ClientSecretTable, Tables } from './tables.ts'

/** Creates the store on Kysely. */
export function createKyselyClientSecretStore(db: Kysely<Tables>): ClientSecretStore {
  const writes = createCredentialWrites(db, 'client_secret')
  const select = () =>
    db
      .selectFrom('client_secret')
      .leftJoin('credential_use', 'credential_use.credential_id', 'client_secret.id')
      .selectAll('client_secret')
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

    async insert(secret) {
      await db
        .insertInto('client_secret')
        .values({ ...toCredentialColumns(secret), secret_sha256: secret.secretHash })
        .execute()
      await writes.keepLastUse(secret)
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

function toRecord(row: Selectable<ClientSecretTable> & CredentialRow): ClientSecretRecord {
  return { ...toCredentialRecord(row), secretHash: row.secret_sha256 }
}
