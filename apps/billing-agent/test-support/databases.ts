// The databases that billing's suites run on.
import type { DatabaseLocation } from '@deputy/storage'
import { createPostgresDatabase, postgresUrl } from '../../../test/support/postgres-database.ts'
import { createTemporaryFolder } from '../../../test/support/temporary-folder.ts'

export type BillingAdapter = {
  readonly name: 'SQLite' | 'PostgreSQL'
  /** An empty database, gone with the test. */
  open(): Promise<AsyncDisposable & { readonly location: DatabaseLocation }>
}

/** SQLite on disk. */
export const SQLITE: BillingAdapter = {
  name: 'SQLite',
  async open() {
    const folder = await createTemporaryFolder()
    return {
      location: { file: folder.file('billing.sqlite') },
      [Symbol.asyncDispose]: async () => folder[Symbol.asyncDispose](),
    }
  },
}

const POSTGRES: BillingAdapter = {
  name: 'PostgreSQL',
  async open() {
    const database = await createPostgresDatabase()
    return {
      location: { url: database.url },
      [Symbol.asyncDispose]: async () => database[Symbol.asyncDispose](),
    }
  },
}

/** SQLite, and PostgreSQL where the run has a server. */
export const BILLING_ADAPTERS: readonly BillingAdapter[] =
  postgresUrl === undefined ? [SQLITE] : [SQLITE, POSTGRES]
