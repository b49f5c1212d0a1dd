import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { inject } from 'vitest'

/** An empty database on the run's PostgreSQL server, dropped with the test. */
export type PostgresDatabase = AsyncDisposable & { readonly url: string }

/** The run's server; `undefined` where there is none, and its suites are skipped. */
export const postgresUrl = inject('postgresUrl')

/** Makes a database. */
export async function createPostgresDatabase(
  serverUrl: string | undefined = postgresUrl,
): Promise<PostgresDatabase> {
  if (serverUrl === undefined) throw new TypeError('there is no PostgreSQL server in this run')
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await runOnServer(`create database ${name}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return {
    url: url.href,
    [Symbol.asyncDispose]: async () => runOnServer(`drop database ${name} with (force)`),
  }
}

/** Runs one statement on the server itself, which makes, drops and disconnects databases. */
export async function runOnServer(statement: string): Promise<void> {
  const client = new Client({ connectionString: postgresUrl })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
