import { describe, expect, test } from 'vitest'
import { makeAgent } from '../../test-support/storage-adapters.ts'
import { hashSecret } from '../secret-hash.ts'
import type { Agent } from '../agents/agent.ts'
import type {
  AuthorityChanges,
  KnownSecret,
  Versioned,
  VersionedClientDirectory,
} from './client-directory.ts'
import { createClientMemory } from './client-memory.ts'
import { writeSecretRecord } from './secret-record.ts'
import type { SecretChunk } from './secret-table.ts'

/** A store in which agents are known by their ids, and each has a secret of the same text. */
function createStore(ids: readonly string[] = ['agent-alice', 'agent-bob']) {
  const agents = new Map(ids.map((id) => [id, makeAgent({ id })]))
  const asked: string[] = []
  const store = { version: 1, agents, asked }
  const changedIds: string[] = []
  let lost = 0

  function find(id: string): Agent | undefined {
    asked.push(id)
    return agents.get(id)
  }
  function findBySecret(hash: Uint8Array): KnownSecret | undefined {
    const id = [...agents.keys()].find((name) => Buffer.from(hash).equals(hashSecret(name)))
    const agent = find(id ?? 'nobody')
    return (
      agent && { agent, credentialId: agent.id, expiresAt: undefined, deactivatedAt: undefined }
    )
  }
  const at = <Value>(value: Value | undefined) => value && { value, version: store.version }
  const versioned: VersionedClientDirectory = {
    version: async () => store.version,
    find: async (id) => at(find(id)),
    findBySecret: async (hash) => at(findBySecret(hash)),
    // The first version is 1.
    changesSince: async (version): Promise<AuthorityChanges> => ({
      version: store.version,
      agentIds: lost > version ? undefined : changedIds.slice(version - 1),
    }),
  }
  const clients = {
    find: async (id: string) => find(id),
    findBySecret: async (hash: Uint8Array) => findBySecret(hash),
    findMany: async (all: readonly string[]) => all.flatMap((id) => find(id) ?? []),
  }
  const change = (agent: Agent): void => {
    agents.set(agent.id, agent)
    changedIds.push(agent.id)
    store.version += 1
  }
  const loseChanges = (): void => void (lost = store.version)
  return { asked, change, loseChanges, agents, clients, versioned }
}

/** Secrets as a reader of all has them: each has the text of its agent's id. */
function makeChunk(ids: readonly string[], version: number): Versioned<SecretChunk> {
  const bytes = Buffer.alloc(1000)
  const { id: _none, ...settings } = makeAgent()
  let end = 0
  for (const id of ids) {
    end = writeSecretRecord(bytes, end, {
      secretHash: hashSecret(id),
      version,
      expiresAt: undefined,
      deactivatedAt: undefined,
      settings: 0,
      credentialId: `secret-of-${id}`,
      agentId: id,
    })
  }
  return { version, value: { bytes: bytes.subarray(0, end), settings: [settings] } }
}

describe('the memory of clients', () => {
  test('asks the store once for what was found', async () => {
    const store = createStore()
    const memory = createClientMemory(store)

    for (let times = 0; times < 3; times += 1) {
      const view = memory.open()
      expect(await view.find('agent-alice')).toMatchObject({ id: 'agent-alice' })
      expect(await view.findBySecret(hashSecret('agent-bob'))).toMatchObject({
        credentialId: 'agent-bob',
      })
      expect(view.basis()).toBe(1)
      expect(await view.isCurrent()).toBe(true)
    }

    expect(store.asked).toEqual(['agent-alice', 'agent-bob'])
  })

  test('asks each time for what is not there, so that who is enrolled is known at once', async () => {
    const store = createStore()
    const memory = createClientMemory(store)
    expect(await memory.open().find('agent-carol')).toBeUndefined()
    store.agents.set('agent-carol', makeAgent({ id: 'agent-carol' }))

    expect(await memory.open().find('agent-carol')).toMatchObject({ id: 'agent-carol' })
  })

  // An attacker who guesses secrets learns nothing from the memory, and does not fill it.
  test('makes the same work of a wrong secret as of an unknown one', async () => {
    const store = createStore()
    const memory = createClientMemory(store)
    await memory.open().findBySecret(hashSecret('agent-alice'))

    for (const secret of ['agent-alic3', 'nothing like it', 'agent-alic3']) {
      expect(await memory.open().findBySecret(hashSecret(secret))).toBeUndefined()
    }

    expect(store.asked).toEqual(['agent-alice', 'nobody', 'nobody', 'nobody'])
  })

  test('gives an outdated answer with an outdated basis, and says so', async () => {
    const store = createStore()
    const memory = createClientMemory(store)
    await memory.open().find('agent-alice')
    store.change(makeAgent({ id: 'agent-alice', state: 'inactive' }))

    const view = memory.open()
    await view.find('agent-alice')

    expect(view.basis()).toBe(1)
    expect(await view.isCurrent()).toBe(false)
  })

  test('forgets who has changed with the first sign of another version', async () => {
    const store = createStore()
    const memory = createClientMemory(store)
    await memory.open().find('agent-alice')
    store.change(makeAgent({ id: 'agent-alice', state: 'inactive' }))
    await memory.open().find('agent-bob')

    const view = memory.open()

    expect(await view.find('agent-alice')).toMatchObject({ state: 'inactive' })
    expect(view.basis()).toBe(2)
  })

  test('rests nothing on two versions', async () => {
    const store = createStore()
    const memory = createClientMemory(store)
    const view = memory.open()
    await view.find('agent-alice')
    store.change(makeAgent({ id: 'agent-alice', state: 'inactive' }))
    await view.find('agent-bob')

    expect(await view.isCurrent()).toBe(false)
    expect(view.basis()).not.toBe(2)
  })

  test('does not remember an answer that a newer one has overtaken', async () => {
    const store = createStore()
    const gate = Promise.withResolvers<void>()
    const slow: VersionedClientDirectory = {
      ...store.versioned,
      async find(id) {
        const found = await store.versioned.find(id)
        if (id === 'agent-alice') await gate.promise
        return found
      },
    }
    const memory = createClientMemory({ clients: store.clients, versioned: slow })
    const view = memory.open()
    const overtaken = view.find('agent-alice')
    await Promise.resolve()
    store.change(makeAgent({ id: 'agent-alice', state: 'inactive' }))
    await memory.open().find('agent-bob')
    gate.resolve()
    expect(await overtaken).toMatchObject({ state: 'active' })
    expect(await view.isCurrent()).toBe(false)

    expect(await memory.open().find('agent-alice')).toMatchObject({ state: 'inactive' })
  })

  test('remembers no more than it may', async () => {
    const ids = ['agent-one', 'agent-two', 'agent-three']
    const store = createStore(ids)
    const memory = createClientMemory({ ...store, maxTargets: 2 })
    for (const id of [...ids, 'agent-three', 'agent-one']) await memory.open().find(id)

    expect(store.asked).toEqual([...ids, 'agent-one'])
  })

  test('remembers whoever has not changed', async () => {
    const store = createStore(['agent-alice', 'agent-bob', 'agent-carol'])
    const memory = createClientMemory(store)
    for (const id of ['agent-alice', 'agent-bob']) {
      await memory.open().find(id)
      await memory.open().findBySecret(hashSecret(id))
    }
    store.change(makeAgent({ id: 'agent-alice', state: 'inactive' }))
    await memory.catchUp()
    store.asked.splice(0)

    const view = memory.open()
    const found = [
      await view.find('agent-bob'),
      (await view.findBySecret(hashSecret('agent-bob')))?.agent,
      await view.find('agent-alice'),
      (await view.findBySecret(hashSecret('agent-alice')))?.agent,
    ]

    expect(found.map((agent) => agent?.state)).toEqual(['active', 'active', 'inactive', 'inactive'])
    expect(view.basis()).toBe(2)
    expect(store.asked).toEqual(['agent-alice', 'agent-alice'])
  })

  // Where all are remembered nobody is asked for, and nothing else would ever tell of the change.
  test('is current again after it caught up, though it was asked for nobody new', async () => {
    const store = createStore()
    const memory = createClientMemory(store)
    await memory.open().findBySecret(hashSecret('agent-alice'))
    store.change(makeAgent({ id: 'agent-bob', state: 'inactive' }))

    await Promise.all([memory.catchUp(), memory.catchUp()])

    const view = memory.open()
    await view.findBySecret(hashSecret('agent-alice'))
    expect(await view.isCurrent()).toBe(true)
    expect(store.asked).toEqual(['agent-alice'])
  })

  test('forgets everybody when it cannot be said any more who has changed', async () => {
    const store = createStore()
    const memory = createClientMemory(store)
    await memory.open().findBySecret(hashSecret('agent-alice'))
    store.change(makeAgent({ id: 'agent-alice', state: 'inactive' }))
    store.change(makeAgent({ id: 'agent-bob' }))
    store.loseChanges()
    await memory.catchUp()

    expect(await memory.open().findBySecret(hashSecret('agent-alice'))).toMatchObject({
      agent: { state: 'inactive' },
    })
  })

  // The attack: what a server reads ahead at its start brings back an agent that was ended meanwhile.
  test.each([{ isRead: 'before' }, { isRead: 'after' }])(
    'learns what was read $isRead a change, and takes nothing for true that was ended',
    async ({ isRead }) => {
      const store = createStore()
      const memory = createClientMemory(store)
      await memory.open().find('agent-bob')
      const before = makeChunk(['agent-alice', 'agent-bob'], 1)
      store.change(makeAgent({ id: 'agent-alice', state: 'inactive' }))
      if (isRead === 'after') await memory.learn(makeChunk(['agent-bob'], 2))
      await memory.catchUp()
      await memory.learn(before)
      store.asked.splice(0)

      const view = memory.open()

      expect(await view.findBySecret(hashSecret('agent-bob'))).toMatchObject({
        credentialId: 'secret-of-agent-bob',
      })
      expect(store.asked).toEqual([])
      expect(await view.findBySecret(hashSecret('agent-alice'))).toMatchObject({
        agent: { state: 'inactive' },
      })
      expect(view.basis()).toBe(2)
    },
  )

  test('is left out of a fresh view', async () => {
    const store = createStore()
    const memory = createClientMemory(store)
    await memory.open().find('agent-alice')

    const view = memory.openFresh()
    await view.find('agent-alice')

    expect(view.basis()).toBeUndefined()
    expect(store.asked).toEqual(['agent-alice', 'agent-alice'])
  })
})
