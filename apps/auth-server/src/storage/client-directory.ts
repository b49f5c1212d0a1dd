import type { Database } from '@deputy/storage'
import type { Kysely } from 'kysely'
import type {
  ClientDirectory,
  KnownSecret,
  VersionedClientDirectory,
} from '../clients/client-directory.ts'
import { toAgent } from './agent-row.ts'
import { prepareQuery } from './prepared-query.ts'
import type { AgentTable, Tables } from './tables.ts'

/** Creates the directory on Kysely. */
export function createKyselyClientDirectory(db: Kysely<Tables>): ClientDirectory {
  const bySecret = prepareQuery(db, selectBySecret(db))
  const byId = prepareQuery(db, selectById(db))

  return {
    async findBySecret(secretHash) {
      const [row] = await bySecret(secretHash)
      return row && toKnownSecret(row)
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

/** Creates the look-ups that tell the version, each in one statement with what was found. */
export function createVersionedClientDirectory(
  database: Pick<Database<Tables>, 'db' | 'read'>,
): VersionedClientDirectory {
  const { db } = database
  const version = db.selectFrom('authority').select('version')
  const readVersion = version.compile()
  const bySecret = selectBySecret(db).select(version.as('authority_version')).compile()
  const byId = selectById(db).select(version.as('authority_version')).compile()

  return {
    async version() {
      const [row] = await database.read(readVersion, [])
      return toVersion(row?.version)
    },

    async findBySecret(secretHash) {
      const [row] = await database.read(bySecret, [secretHash])
      return row && { value: toKnownSecret(row), version: toVersion(row.authority_version) }
    },

    async find(clientId) {
      const [row] = await database.read(byId, [clientId])
      return row && { value: toAgent(row), version: toVersion(row.authority_version) }
    },
  }
}

function selectBySecret(db: Kysely<Tables>) {
  return db
    .selectFrom('client_secret')
    .innerJoin('agent', 'agent.id', 'client_secret.agent_id')
    .selectAll('agent')
    .select([
      'client_secret.id as credential_id',
      'client_secret.expires_at as credential_expires_at',
      'client_secret.deactivated_at as credential_deactivated_at',
    ])
    .where('client_secret.secret_sha256', '=', new Uint8Array())
}

function selectById(db: Kysely<Tables>) {
  return db.selectFrom('agent').selectAll().where('id', '=', '')
}

type SecretRow = AgentTable & {
  readonly credential_id: string
  readonly credential_expires_at: number | null
  readonly credential_deactivated_at: number | null
}

function toKnownSecret(row: SecretRow): KnownSecret {
  return {
    agent: toAgent(row),
    credentialId: row.credential_id,
    expiresAt: row.credential_expires_at ?? undefined,
    deactivatedAt: row.credential_deactivated_at ?? undefined,
  }
}

/** The row is there from the migration on. */
function toVersion(version: number | null | undefined): number {
  if (typeof version === 'number') return version
  throw new TypeError('the database has no row in its table authority')
}
