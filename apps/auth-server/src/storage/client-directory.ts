import type { Kysely } from 'kysely'
import type { ClientDirectory } from '../clients/client-directory.ts'
import { toAgent } from './agent-row.ts'
import { prepareQuery } from './prepared-query.ts'
import type { Tables } from './tables.ts'

/** Creates the directory on Kysely. */
export function createKyselyClientDirectory(db: Kysely<Tables>): ClientDirectory {
  const bySecret = prepareQuery(
    db,
    db
      .selectFrom('client_secret')
      .innerJoin('agent', 'agent.id', 'client_secret.agent_id')
      .selectAll('agent')
      .select([
        'client_secret.id as credential_id',
        'client_secret.expires_at as credential_expires_at',
        'client_secret.deactivated_at as credential_deactivated_at',
      ])
      .where('client_secret.secret_sha256', '=', new Uint8Array()),
  )
  const byId = prepareQuery(db, db.selectFrom('agent').selectAll().where('id', '=', ''))

  return {
    async findBySecret(secretHash) {
      const [row] = await bySecret(secretHash)
      if (row === undefined) return undefined
      return {
        agent: toAgent(row),
        credentialId: row.credential_id,
        expiresAt: row.credential_expires_at ?? undefined,
        deactivatedAt: row.credential_deactivated_at ?? undefined,
      }
    },

    async find(clientId) {
      const [row] = await byId(clientId)
      return row && toAgent(row)
    },

    async findMany(clientIds) {
      if (clientIds.length === 0) return []
      const rows = await db
        .selectFrom('agent')
        .selectAll()
        .where('id', 'in', [...clientIds])
        .execute()
      return rows.map(toAgent)
    },
  }
}
