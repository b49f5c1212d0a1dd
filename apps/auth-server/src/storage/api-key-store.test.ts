import { describe, expect, test } from 'vitest'
import { START_AT } from '../../test-support/clock.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import {
  createStorage,
  makeAgent,
  makeApiKey,
  STORAGE_ADAPTERS,
  type StorageAdapter,
} from '../../test-support/storage-adapters.ts'
import { hashSecret } from '../secret-hash.ts'

async function createStorageWithAlice(adapter: StorageAdapter) {
  const storage = await createStorage(adapter)
  await storage.agents.insert(makeAgent())
  return storage
}

function at(id: string): { readonly id: string; readonly within: typeof EVERY_OWNER } {
  return { id, within: EVERY_OWNER }
}

describe.each(STORAGE_ADAPTERS)('ApiKeyStore on $name', (adapter) => {
  test('finds a key by its hash, as it was inserted', async () => {
    await using storage = await createStorageWithAlice(adapter)
    const key = makeApiKey({ scopes: ['notes:read', 'notes:write'], expiresAt: START_AT + 60 })

    await storage.apiKeys.insert(key)

    expect(await storage.apiKeys.findByHash(hashSecret(key.id))).toEqual(key)
  })

  test('finds nothing under a hash that differs in its last byte', async () => {
    await using storage = await createStorageWithAlice(adapter)
    const key = makeApiKey()
    await storage.apiKeys.insert(key)
    const other = key.keyHash.with(31, (key.keyHash.at(31) ?? 0) ^ 1)

    const found = await storage.apiKeys.findByHash(other)

    expect(found).toBeUndefined()
  })

  test('refuses a second key with the hash of the first', async () => {
    await using storage = await createStorageWithAlice(adapter)
    const key = makeApiKey()
    await storage.apiKeys.insert(key)

    const insert = storage.apiKeys.insert({ ...key, id: 'key-2' })

    await expect(insert).rejects.toThrow(/unique/i)
  })

  test('lists the newest first, and only those of the agent', async () => {
    await using storage = await createStorageWithAlice(adapter)
    await storage.agents.insert(makeAgent({ id: 'agent-bob' }))
    await storage.apiKeys.insert(makeApiKey({ id: 'old' }))
    await storage.apiKeys.insert(makeApiKey({ id: 'new', createdAt: START_AT + 1 }))
    await storage.apiKeys.insert(makeApiKey({ id: 'bobs', agentId: 'agent-bob' }))

    const found = await storage.apiKeys.listByAgent('agent-alice', EVERY_OWNER)

    expect(found.map(({ id }) => id)).toEqual(['new', 'old'])
  })

  test('keeps the first time when a key is deactivated again', async () => {
    await using storage = await createStorageWithAlice(adapter)
    await storage.apiKeys.insert(makeApiKey())
    await storage.apiKeys.deactivate(at('key-1'), START_AT + 1)

    const again = await storage.apiKeys.deactivate(at('key-1'), START_AT + 2)

    expect(again).toEqual(makeApiKey({ deactivatedAt: START_AT + 1 }))
    expect(await storage.apiKeys.findByHash(hashSecret('key-1'))).toEqual(again)
  })

  test('answers nothing when told to deactivate an unknown key', async () => {
    await using storage = await createStorageWithAlice(adapter)

    const deactivated = await storage.apiKeys.deactivate(at('key-1'), START_AT)

    expect(deactivated).toBeUndefined()
  })

  test('keeps everything when it is opened again', async () => {
    await using place = await adapter.createPlace()
    const key = makeApiKey({ expiresAt: START_AT + 1, lastUsedAt: START_AT + 3 })
    const before = await place.open()
    await before.agents.insert(makeAgent())
    await before.apiKeys.insert(key)
    await before.close()

    await using after = await place.open()

    expect(await after.apiKeys.findByHash(hashSecret('key-1'))).toEqual(key)
  })
})
