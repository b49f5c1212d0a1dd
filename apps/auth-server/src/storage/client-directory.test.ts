import { describe, expect, test } from 'vitest'
import { START_AT } from '../../test-support/clock.ts'
import {
  createStorage,
  makeAgent,
  makeClientSecret,
  STORAGE_ADAPTERS,
} from '../../test-support/storage-adapters.ts'
import { createClientMemory } from '../clients/client-memory.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import { hashSecret } from '../secret-hash.ts'
import type { Storage } from './open-storage.ts'

const at = (id: string) => ({ id, within: EVERY_OWNER }) as const

async function enroll(storage: Storage, ids: readonly string[]): Promise<void> {
  await storage.act(async ({ agents, clientSecrets }) => {
    for (const id of ids) {
      await agents.insert(makeAgent({ id, scopes: [`${id.slice(-1)}:read`] }))
      await clientSecrets.insert(makeClientSecret({ id: `secret-${id}`, agentId: id }))
    }
  })
}

const IDS = ['agent-a', 'agent-b', 'agent-c'] as const

describe.each(STORAGE_ADAPTERS)('VersionedClientDirectory on $name', (adapter) => {
  test('says who has changed, or whose secret has, and of nobody else', async () => {
    await using storage = await createStorage(adapter)
    await enroll(storage, IDS)
    const before = await storage.versionedClients.version()
    await storage.agents.update(at('agent-a'), { name: 'Another' })
    await storage.clientSecrets.deactivate(at('secret-agent-c'), START_AT)
    await storage.lastUses.touch(new Map([['secret-agent-b', START_AT]]))
    await enroll(storage, ['agent-d'])

    const changes = await storage.versionedClients.changesSince(before)

    expect(changes.version).toBe(await storage.versionedClients.version())
    expect(changes.agentIds?.toSorted()).toEqual(['agent-a', 'agent-c'])
    expect(await storage.versionedClients.changesSince(changes.version)).toEqual({
      version: changes.version,
      agentIds: [],
    })
  })

  test('counts every row of a statement that changes several', async () => {
    await using storage = await createStorage(adapter)
    await enroll(storage, IDS)
    const before = await storage.versionedClients.version()
    await storage.act(async ({ agents }) => {
      for (const id of IDS) await agents.deactivate(at(id), START_AT)
    })

    const { agentIds, version } = await storage.versionedClients.changesSince(before)

    expect(agentIds?.toSorted()).toEqual([...IDS])
    expect(version - before).toBe(IDS.length)
  })

  test('keeps the last 10,000 changes, and does not guess at those before', async () => {
    await using storage = await createStorage(adapter)
    await enroll(storage, IDS)
    const before = await storage.versionedClients.version()
    await storage.act(async ({ agents }) => {
      for (let times = 0; times <= 10_000; times += 1) {
        await agents.update(at('agent-a'), { accessTokenTtlSeconds: 1 + (times % 1800) })
      }
    })

    const changesSince = async (from: number) => storage.versionedClients.changesSince(from)
    expect(await changesSince(before)).toEqual({ version: before + 10_001, agentIds: undefined })
    expect(await changesSince(before + 1)).toMatchObject({ agentIds: ['agent-a'] })
  }, 30_000)

  test('does not say who has changed since before it was written down', async () => {
    await using storage = await createStorage(adapter)

    expect(await storage.versionedClients.changesSince(0)).toMatchObject({ agentIds: undefined })
  })
})

describe('the reader of secrets', () => {
  const [sqlite] = STORAGE_ADAPTERS

  test('fills the memory of a server, with the secrets of all agents as they are', async () => {
    if (sqlite === undefined) throw new Error('there is always SQLite')
    await using storage = await createStorage(sqlite)
    const ids = Array.from({ length: 1500 }, (_none, place) => `agent-${String(place)}`)
    await enroll(storage, ids)
    await storage.clientSecrets.deactivate(at('secret-agent-7'), START_AT + 5)
    const memory = createClientMemory({
      clients: storage.clients,
      versioned: {
        ...storage.versionedClients,
        findBySecret: async () => Promise.reject(new Error('it should be remembered')),
      },
    })
    const reader = await storage.openSecretReader(1000)
    for (let chunk = await reader?.next(); chunk !== undefined; chunk = await reader?.next()) {
      await memory.learn(chunk)
    }
    await reader?.close()

    const view = memory.open()
    const known = await Promise.all(
      ids.map(async (id) => view.findBySecret(hashSecret(`secret-${id}`))),
    )

    const read = await Promise.all(
      ids.map(async (id) => storage.clients.findBySecret(hashSecret(`secret-${id}`))),
    )
    expect(known).toEqual(read)
    expect(known[7]?.deactivatedAt).toBe(START_AT + 5)
    expect(await view.isCurrent()).toBe(true)
  })

  test('is not there for few', async () => {
    if (sqlite === undefined) throw new Error('there is always SQLite')
    await using storage = await createStorage(sqlite)
    await enroll(storage, IDS)

    expect(await storage.openSecretReader(4)).toBeUndefined()
  })
})
