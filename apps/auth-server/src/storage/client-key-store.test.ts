import { describe, expect, test } from 'vitest'
import { START_AT } from '../../test-support/clock.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import {
  createStorage,
  makeAgent,
  makeClientKey,
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

describe.each(STORAGE_ADAPTERS)('ClientKeyStore on $name', (adapter) => {
  test('lists a key as it was inserted', async () => {
    await using storage = await createStorageWithAlice(adapter)
    const key = makeClientKey({ expiresAt: START_AT + 60 })

    await storage.clientKeys.insert(key)

    const [found, ...others] = await storage.clientKeys.listByAgent('agent-alice', EVERY_OWNER)
    expect(others).toEqual([])
    expect(found).toEqual(key)
  })

  test('lists the newest first, and only those of the agent', async () => {
    await using storage = await createStorageWithAlice(adapter)
    await storage.agents.insert(makeAgent({ id: 'agent-bob' }))
    await storage.clientKeys.insert(makeClientKey({ id: 'old' }))
    await storage.clientKeys.insert(makeClientKey({ id: 'new', createdAt: START_AT + 1 }))
    await storage.clientKeys.insert(makeClientKey({ id: 'bobs', agentId: 'agent-bob' }))

    const found = await storage.clientKeys.listByAgent('agent-alice', EVERY_OWNER)

    expect(found.map(({ id }) => id)).toEqual(['new', 'old'])
  })

  test('lists of the keys that count the newest few, of one name where that is given', async () => {
    await using storage = await createStorageWithAlice(adapter)
    await storage.agents.insert(makeAgent({ id: 'agent-bob' }))
    const keys = [
      makeClientKey({ id: 'old', kid: 'a' }),
      makeClientKey({ id: 'over', expiresAt: START_AT + 60 }),
      makeClientKey({ id: 'ended', deactivatedAt: START_AT }),
      makeClientKey({ id: 'new', kid: 'b', createdAt: START_AT + 1, expiresAt: START_AT + 61 }),
      makeClientKey({ id: 'bobs', agentId: 'agent-bob' }),
    ]
    for (const key of keys) await storage.clientKeys.insert(key)
    const list = async (kid: string | undefined, limit = 10) =>
      (
        await storage.clientKeys.listLive({
          agentId: 'agent-alice',
          kid,
          now: START_AT + 60,
          limit,
        })
      ).map(({ id }) => id)

    expect(await list(undefined)).toEqual(['new', 'old'])
    expect(await list(undefined, 1)).toEqual(['new'])
    expect(await list('a')).toEqual(['old'])
    expect(await list('c')).toEqual([])
  })

  test('refuses a key of an agent that is not there', async () => {
    await using storage = await createStorageWithAlice(adapter)
    const orphan = makeClientKey({ agentId: 'agent-nobody' })

    const insert = storage.clientKeys.insert(orphan)

    await expect(insert).rejects.toThrow(/constraint/i)
  })

  test('keeps the first time when a key is deactivated again', async () => {
    await using storage = await createStorageWithAlice(adapter)
    await storage.clientKeys.insert(makeClientKey())
    await storage.clientKeys.deactivate(at('key-1'), START_AT + 1)

    const again = await storage.clientKeys.deactivate(at('key-1'), START_AT + 2)

    expect(again).toEqual(makeClientKey({ deactivatedAt: START_AT + 1 }))
  })

  test('answers nothing when told to deactivate an unknown key', async () => {
    await using storage = await createStorageWithAlice(adapter)

    const deactivated = await storage.clientKeys.deactivate(at('key-1'), START_AT)

    expect(deactivated).toBeUndefined()
  })

  test('notes the use of the one key and no other', async () => {
    await using storage = await createStorageWithAlice(adapter)
    await storage.clientKeys.insert(makeClientKey({ id: 'one' }))
    await storage.clientKeys.insert(makeClientKey({ id: 'two' }))

    await storage.lastUses.touch(new Map([['two', START_AT]]))

    const found = await storage.clientKeys.listByAgent('agent-alice', EVERY_OWNER)
    expect(found.map(({ id, lastUsedAt }) => ({ id, lastUsedAt }))).toEqual([
      { id: 'one', lastUsedAt: undefined },
      { id: 'two', lastUsedAt: START_AT },
    ])
  })

  test('keeps everything when it is opened again', async () => {
    await using place = await adapter.createPlace()
    const key = makeClientKey({
      expiresAt: START_AT + 1,
      deactivatedAt: START_AT + 2,
      lastUsedAt: START_AT + 3,
    })
    const before = await place.open()
    await before.agents.insert(makeAgent())
    await before.clientKeys.insert(key)
    await before.close()

    await using after = await place.open()

    expect(await after.clientKeys.listByAgent('agent-alice', EVERY_OWNER)).toEqual([key])
  })
})
