import { describe, expect, test } from 'vitest'
import { START_AT } from '../../test-support/clock.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import {
  createStorage,
  makeAgent,
  makeClientSecret,
  STORAGE_ADAPTERS,
  type StorageAdapter,
} from '../../test-support/storage-adapters.ts'

async function createStorageWithAlice(adapter: StorageAdapter) {
  const storage = await createStorage(adapter)
  await storage.agents.insert(makeAgent())
  return storage
}

function at(id: string): { readonly id: string; readonly within: typeof EVERY_OWNER } {
  return { id, within: EVERY_OWNER }
}

describe.each(STORAGE_ADAPTERS)('ClientSecretStore on $name', (adapter) => {
  test('lists a secret as it was inserted', async () => {
    await using storage = await createStorageWithAlice(adapter)
    const secret = makeClientSecret({ expiresAt: START_AT + 60 })

    await storage.clientSecrets.insert(secret)

    const [found, ...others] = await storage.clientSecrets.listByAgent('agent-alice', EVERY_OWNER)
    expect(others).toEqual([])
    expect(found).toEqual(secret)
  })

  test('lists the newest first, and only those of the agent', async () => {
    await using storage = await createStorageWithAlice(adapter)
    await storage.agents.insert(makeAgent({ id: 'agent-bob' }))
    await storage.clientSecrets.insert(makeClientSecret({ id: 'old' }))
    await storage.clientSecrets.insert(makeClientSecret({ id: 'new', createdAt: START_AT + 1 }))
    await storage.clientSecrets.insert(makeClientSecret({ id: 'bobs', agentId: 'agent-bob' }))

    const found = await storage.clientSecrets.listByAgent('agent-alice', EVERY_OWNER)

    expect(found.map(({ id }) => id)).toEqual(['new', 'old'])
  })

  test('refuses a secret of an agent that is not there', async () => {
    await using storage = await createStorageWithAlice(adapter)
    const orphan = makeClientSecret({ agentId: 'agent-nobody' })

    const insert = storage.clientSecrets.insert(orphan)

    await expect(insert).rejects.toThrow(/constraint/i)
  })

  test('keeps the first time when a secret is deactivated again', async () => {
    await using storage = await createStorageWithAlice(adapter)
    await storage.clientSecrets.insert(makeClientSecret())
    await storage.clientSecrets.deactivate(at('secret-1'), START_AT + 1)

    const again = await storage.clientSecrets.deactivate(at('secret-1'), START_AT + 2)

    expect(again).toEqual(makeClientSecret({ deactivatedAt: START_AT + 1 }))
  })

  test('answers nothing when told to deactivate an unknown secret', async () => {
    await using storage = await createStorageWithAlice(adapter)

    const deactivated = await storage.clientSecrets.deactivate(at('secret-1'), START_AT)

    expect(deactivated).toBeUndefined()
  })

  test('notes the use of the one secret and no other', async () => {
    await using storage = await createStorageWithAlice(adapter)
    await storage.clientSecrets.insert(makeClientSecret({ id: 'one' }))
    await storage.clientSecrets.insert(makeClientSecret({ id: 'two' }))

    await storage.lastUses.touch(new Map([['two', START_AT]]))

    const found = await storage.clientSecrets.listByAgent('agent-alice', EVERY_OWNER)
    expect(found.map(({ id, lastUsedAt }) => ({ id, lastUsedAt }))).toEqual([
      { id: 'one', lastUsedAt: undefined },
      { id: 'two', lastUsedAt: START_AT },
    ])
  })

  test('keeps everything when it is opened again', async () => {
    await using place = await adapter.createPlace()
    const secret = makeClientSecret({
      expiresAt: START_AT + 1,
      deactivatedAt: START_AT + 2,
      lastUsedAt: START_AT + 3,
    })
    const before = await place.open()
    await before.agents.insert(makeAgent())
    await before.clientSecrets.insert(secret)
    await before.close()

    await using after = await place.open()

    expect(await after.clientSecrets.listByAgent('agent-alice', EVERY_OWNER)).toEqual([secret])
  })
})
