import { PublicJwk } from '@deputy/auth/protocol'
import type { Kysely, Selectable } from 'kysely'
import type { ClientKeyRecord, ClientKeyStore } from '../clients/client-key-store.ts'
import type { CredentialAt } from '../credentials/credential.ts'
import {
  createCredentialWrites,
  credentialWithin,
  toCredentialColumns,
  toCredentialRecord,
} from './credential-rows.ts'
import type { ClientKeyTable, Tables } from './tables.ts'

/** Creates the store on Kysely. */
export function createKyselyClientKeyStore(db: Kysely<Tables>): ClientKeyStore {
  const writes = createCredentialWrites(db, 'client_key')

  async function find({ id, within }: CredentialAt) {
    const row = await db
      .selectFrom('client_key')
      .selectAll()
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
        .insertInto('client_key')
        .values({
          ...toCredentialColumns(key),
          kid: key.kid,
          public_jwk: JSON.stringify(key.publicJwk),
        })
        .execute()
    },

    async listByAgent(agentId, within) {
      const rows = await db
        .selectFrom('client_key')
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

function toRecord(row: Selectable<ClientKeyTable>): ClientKeyRecord {
  return {
    ...toCredentialRecord(row),
    kid: row.kid,
    publicJwk: PublicJwk.parse(JSON.parse(row.public_jwk)),
  }
}
