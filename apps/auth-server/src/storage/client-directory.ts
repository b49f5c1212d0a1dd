import type { Database } from '@deputy/storage'
import { sql, type Kysely } from 'kysely'
import type {
  AuthorityChanges,
  AuthorityVersion,
  ClientDirectory,
  KnownSecret,
  VersionedClientDirectory,
} from '../clients/client-directory.ts'
import { CLIENT_COLUMNS, toClient, type ClientRow } from './agent-row.ts'
import { prepareQuery } from './prepared-query.ts'
import type { Tables } from './tables.ts'

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
      return row && toClient(row)
    },

    async findMany(clientIds) {
      if (clientIds.length === 0) return []
      const rows = await db
        .selectFrom('agent')
        .select(CLIENT_COLUMNS)
        .where('id', 'in', [...clientIds])
        .execute()
      return rows.map(toClient)
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
  const changes = selectChanges(db).compile()

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
      return row && { value: toClient(row), version: toVersion(row.authority_version) }
    },

    async changesSince(since) {
      return toChanges(await database.read(changes, [since]), since)
    },
  }
}

function selectBySecret(db: Kysely<Tables>) {
  return db
    .selectFrom('client_secret')
    .innerJoin('agent', 'agent.id', 'client_secret.agent_id')
    .select(CLIENT_COLUMNS)
    .select([
      'client_secret.id as credential_id',
      'client_secret.expires_at as credential_expires_at',
      'client_secret.deactivated_at as credential_deactivated_at',
    ])
    .where('client_secret.secret_sha256', '=', new Uint8Array())
}

function selectById(db: Kysely<Tables>) {
  return db.selectFrom('agent').select(CLIENT_COLUMNS).where('id', '=', '')
}

/** In one statement, so that the version and the changes are of one moment. */
function selectChanges(db: Kysely<Tables>) {
  return db
    .selectFrom('authority')
    .leftJoin('authority_change', (join) => join.on('authority_change.version', '>', sql`${0}`))
    .select(['authority.version as authority_version', 'authority_change.agent_id'])
}

type SecretRow = ClientRow & {
  readonly credential_id: string
  readonly credential_expires_at: number | null
  readonly credential_deactivated_at: number | null
}

function toKnownSecret(row: SecretRow): KnownSecret {
  return {
    agent: toClient(row),
    credentialId: row.credential_id,
    expiresAt: row.credential_expires_at ?? undefined,
    deactivatedAt: row.credential_deactivated_at ?? undefined,
  }
}

type ChangeRow = { readonly authority_version: number; readonly agent_id: string | null }

/** All are known where there are as many as were counted: old ones are deleted. */
function toChanges(rows: readonly ChangeRow[], since: AuthorityVersion): AuthorityChanges {
  const version = toVersion(rows[0]?.authority_version)
  const ids = rows.flatMap(({ agent_id: id }) => id ?? [])
  return { version, agentIds: ids.length === version - since ? [...new Set(ids)] : undefined }
}

/** The row is there from the migration on. */
function toVersion(version: number | null | undefined): number {
  if (typeof version === 'number') return version
  throw new TypeError('the database has no row in its table authority')
}
