import { openDatabase, type DatabaseLocation } from '@deputy/storage'
import { expect, test } from 'vitest'
import {
  createPostgresDatabase,
  postgresUrl,
} from '../../../../../test/support/postgres-database.ts'
import { createTemporaryFolder } from '../../../../../test/support/temporary-folder.ts'
import { START_AT } from '../../../test-support/clock.ts'
import { EVERY_OWNER } from '../../owners/tenancy.ts'
import { migrations } from '../migrations.ts'
import { openStorage } from '../open-storage.ts'

type ReleasedTables = {
  owner: { id: string; name: string; created_at: number }
  agent: {
    id: string
    name: string
    description: string
    state: string
    scopes: string
    audiences: string
    scopes_supported: string
    access_token_ttl_seconds: number
    created_at: number
  }
  client_secret: {
    id: string
    agent_id: string
    secret_sha256: Uint8Array
    created_at: number
    last_used_at: number | null
  }
  api_key: {
    id: string
    agent_id: string
    label: string
    scopes: string
    key_sha256: Uint8Array
    created_at: number
    last_used_at: number | null
  }
}

/** A database as the release before left it. */
async function writeReleasedDatabase(location: DatabaseLocation): Promise<void> {
  const released = Object.entries(migrations).filter(([name]) => name < '012')
  await using database = await openDatabase<ReleasedTables>({
    ...location,
    migrations: Object.fromEntries(released),
  })
  const { db } = database
  const agent = { id: 'agent-alice', name: 'Alice', description: '', state: 'active' }
  const lists = { scopes: '[]', audiences: '[]', scopes_supported: '[]' }
  await db
    .insertInto('agent')
    .values({ ...agent, ...lists, access_token_ttl_seconds: 900, created_at: START_AT })
    .execute()
  const common = { agent_id: 'agent-alice', created_at: START_AT }
  const secrets = [
    { ...common, id: 'used', secret_sha256: Uint8Array.of(1), last_used_at: START_AT + 5 },
    { ...common, id: 'unused', secret_sha256: Uint8Array.of(2), last_used_at: null },
  ]
  await db.insertInto('client_secret').values(secrets).execute()
  const key = { label: '', scopes: '[]', key_sha256: Uint8Array.of(3), last_used_at: START_AT + 6 }
  await db
    .insertInto('api_key')
    .values({ ...common, ...key, id: 'key' })
    .execute()
}

async function readLastUses(location: DatabaseLocation) {
  await writeReleasedDatabase(location)
  await using storage = await openStorage(location)
  const at = (id: string) => ({ id, within: EVERY_OWNER }) as const
  const [used, unused, key] = await Promise.all([
    storage.clientSecrets.find(at('used')),
    storage.clientSecrets.find(at('unused')),
    storage.apiKeys.find(at('key')),
  ])
  return [used?.lastUsedAt, unused?.lastUsedAt, key?.lastUsedAt]
}

const KEPT = [START_AT + 5, undefined, START_AT + 6]

test('last uses that an earlier version wrote are kept on SQLite', async () => {
  await using folder = await createTemporaryFolder()

  expect(await readLastUses({ file: folder.file('test.sqlite') })).toEqual(KEPT)
})

test.skipIf(postgresUrl === undefined)('and on PostgreSQL', async () => {
  await using database = await createPostgresDatabase()

  expect(await readLastUses({ url: database.url })).toEqual(KEPT)
})
