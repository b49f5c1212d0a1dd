import { sql } from 'kysely'
import type { DatabaseSource } from '../database-source.ts'
import { createPostgresDialect } from './postgres-dialect.ts'

const MAX_CONNECTIONS = 10
const STATEMENT_TIMEOUT_MS = 10_000
/** Any number, as long as every process of every version takes the same. */
const MIGRATION_LOCK_ID = 0x6465_7075_7479

/** Prepares a database of PostgreSQL. Throws when the text is not the URL of one. */
export function openPostgres(url: string): DatabaseSource {
  const label = toLabel(url)
  return {
    kind: 'postgres',
    label,
    dialect: createPostgresDialect(url, {
      maxConnections: MAX_CONNECTIONS,
      statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    }),
    // A migration of many rows takes its time, and so does waiting for one.
    migrationDialect: createPostgresDialect(url, {
      maxConnections: 1,
      statementTimeoutMs: undefined,
    }),
    lendWriter: undefined,
    read: undefined,
    async lockMigrations(transaction) {
      await sql`select pg_advisory_xact_lock(${MIGRATION_LOCK_ID})`.execute(transaction)
    },
  }
}

/** The server and the database, without what may follow or stand before them: a password, say. */
function toLabel(url: string): string {
  const parsed = URL.parse(url)
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw new TypeError(
      'the URL of a PostgreSQL database looks like postgres://user@host:5432/name',
    )
  }
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}`
}
