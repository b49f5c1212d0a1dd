import { describe, expect, test } from 'vitest'
import { makeAgent } from '../../test-support/storage-adapters.ts'
import { hashSecret } from '../secret-hash.ts'
import type { Agent } from '../agents/agent.ts'
import type { KnownSecret, VersionedClientDirectory } from './client-directory.ts'
import { createClientMemory } from './client-memory.ts'

/** A store in which agents are known by their ids, and each has a secret of the same text. */
function createStore(ids: readonly string[] = ['agent-alice', 'agent-bob']) {
  const agents = new Map(ids.map((id) => [id, makeAgent({ id })]))
  const asked: string[] = []
  const store = { version: 1, agents, asked }

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
  }
  const clients = {
    find: async (id: string) => find(id),
    findBySecret: async (hash: Uint8Array) => findBySecret(hash),
    findMany: async (all: readonly string[]) => all.flatMap((id) => find(id) ?? []),
  }
  const change = (agent: Agent): void => {
    agents.set(agent.id, agent)
    store.version += 1
  }
  return { asked, change, agents, clients, versioned }
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

  test('forgets everything with the first sign of another version', async () => {
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
    const memory = createClientMemory({ ...store, maxRemembered: 2 })
    for (const id of [...ids, 'agent-three', 'agent-two', 'agent-one']) await memory.open().find(id)

    expect(store.asked).toEqual([...ids, 'agent-one'])
  })

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
