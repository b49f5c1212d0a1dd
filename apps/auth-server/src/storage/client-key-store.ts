import { PublicJwk } from '@deputy/auth/protocol'
import type { Kysely, Selectable } from 'kysely'
import type { ClientKeyRecord, ClientKeyStore } from '../clients/client-key-store.ts'
import type { CredentialAt } from '../credentials/credential.ts'
import {
  createCredentialWrites,
  credentialWithin,
  toCredentialColumns,
  toCredentialRecord,
  type CredentialRow,
} from './credential-rows.ts'
import type { ClientKeyTable, Tables } from './tables.ts'

/** Creates the store on Kysely. */
export function createKyselyClientKeyStore(db: Kysely<Tables>): ClientKeyStore {
  const writes = createCredentialWrites(db, 'client_key')
  const select = () =>
    db
      .selectFrom('client_key')
      .leftJoin('credential_use', 'credential_use.credential_id', 'client_key.id')
      .selectAll('client_key')
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
        .insertInto('client_key')
        .values({
          ...toCredentialColumns(key),
          kid: key.kid,
          public_jwk: JSON.stringify(key.publicJwk),
        })
        .execute()
      await writes.keepLastUse(key)
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

    async listLive({ agentId, kid, limit, now }) {
      const rows = await select()
        .where('agent_id', '=', agentId)
        .where('deactivated_at', 'is', null)
        .where((column) =>
          column.or([column('expires_at', 'is', null), column('expires_at', '>', now)]),
        )
        .$if(kid !== undefined, (query) => query.where('kid', '=', kid ?? ''))
        .orderBy('created_at', 'desc')
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map(toRecord)
    },

    async deactivate(at, now) {
      await writes.deactivate(at, now)
      return find(at)
    },
  }
}

function toRecord(row: Selectable<ClientKeyTable> & CredentialRow): ClientKeyRecord {
  return {
    ...toCredentialRecord(row),
    kid: row.kid,
    publicJwk: PublicJwk.parse(JSON.parse(row.public_jwk)),
  }
}
