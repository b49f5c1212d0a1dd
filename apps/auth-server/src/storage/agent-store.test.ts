import { describe, expect, test } from 'vitest'
import { START_AT } from '../../test-support/clock.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import { createStorage, makeAgent, STORAGE_ADAPTERS } from '../../test-support/storage-adapters.ts'

function at(id: string): { readonly id: string; readonly within: typeof EVERY_OWNER } {
  return { id, within: EVERY_OWNER }
}

describe.each(STORAGE_ADAPTERS)('AgentStore on $name', (adapter) => {
  test('finds an agent as it was inserted', async () => {
    await using storage = await createStorage(adapter)
    const agent = makeAgent({
      description: 'Writes “briefs”',
      scopes: ['notes:read'],
      audiences: ['agent-bob'],
      scopesSupported: ['briefs:read', 'briefs:write'],
      accessTokenTtlSeconds: 60,
    })

    const inserted = await storage.agents.insert(agent)

    expect(inserted).toBe(true)
    expect(await storage.agents.find(at(agent.id))).toEqual(agent)
  })

  test('finds nothing under an id that was never inserted', async () => {
    await using storage = await createStorage(adapter)

    const found = await storage.agents.find(at('agent-alice'))

    expect(found).toBeUndefined()
  })

  test('leaves the first agent as it is when its id is inserted again', async () => {
    await using storage = await createStorage(adapter)
    await storage.agents.insert(makeAgent({ name: 'First' }))

    const inserted = await storage.agents.insert(makeAgent({ name: 'Second' }))

    expect(inserted).toBe(false)
    expect((await storage.agents.find(at('agent-alice')))?.name).toBe('First')
  })

  test('lets exactly one of many simultaneous inserts of one id win', async () => {
    // Attack: two registrations race for one id, and the slower one takes the faster one's scopes.
    await using storage = await createStorage(adapter)
    const rivals = Array.from({ length: 20 }, (_, i) => makeAgent({ name: `rival ${String(i)}` }))

    const outcomes = await Promise.all(rivals.map(async (rival) => storage.agents.insert(rival)))

    expect(outcomes.filter(Boolean)).toHaveLength(1)
    const winner = rivals[outcomes.indexOf(true)]
    expect(await storage.agents.find(at('agent-alice'))).toEqual(winner)
  })

  test('lists in the order of ids, a page at a time, each agent once', async () => {
    await using storage = await createStorage(adapter)
    for (const id of ['agent-c', 'agent-a', 'agent-e', 'agent-b', 'agent-d']) {
      await storage.agents.insert(makeAgent({ id }))
    }

    const first = await storage.agents.list({ within: EVERY_OWNER, limit: 2 })
    const second = await storage.agents.list({ within: EVERY_OWNER, limit: 2, afterId: 'agent-b' })
    const last = await storage.agents.list({ within: EVERY_OWNER, limit: 2, afterId: 'agent-d' })

    expect([first, second, last].map((page) => page.map(({ id }) => id))).toEqual([
      ['agent-a', 'agent-b'],
      ['agent-c', 'agent-d'],
      ['agent-e'],
    ])
  })

  test('lists what comes after an id that is not there', async () => {
    await using storage = await createStorage(adapter)
    await storage.agents.insert(makeAgent({ id: 'agent-c' }))

    const page = await storage.agents.list({ within: EVERY_OWNER, limit: 10, afterId: 'agent-b' })

    expect(page.map(({ id }) => id)).toEqual(['agent-c'])
  })

  test('changes what an update names and nothing else', async () => {
    await using storage = await createStorage(adapter)
    const agent = makeAgent({ scopes: ['notes:read'], audiences: ['agent-bob'] })
    await storage.agents.insert(agent)

    const updated = await storage.agents.update(at(agent.id), { scopes: [], name: undefined })

    expect(updated).toEqual({ ...agent, scopes: [] })
    expect(await storage.agents.find(at(agent.id))).toEqual(updated)
  })

  test('loses none of many simultaneous updates of different settings', async () => {
    await using storage = await createStorage(adapter)
    await storage.agents.insert(makeAgent())

    await Promise.all([
      storage.agents.update(at('agent-alice'), { name: 'New name' }),
      storage.agents.update(at('agent-alice'), { scopes: ['notes:read'] }),
      storage.agents.update(at('agent-alice'), { accessTokenTtlSeconds: 30 }),
    ])

    expect(await storage.agents.find(at('agent-alice'))).toEqual(
      makeAgent({ name: 'New name', scopes: ['notes:read'], accessTokenTtlSeconds: 30 }),
    )
  })

  test('answers nothing when told to update or deactivate an unknown agent', async () => {
    await using storage = await createStorage(adapter)

    const updated = await storage.agents.update(at('agent-alice'), { name: 'Nobody' })
    const deactivated = await storage.agents.deactivate(at('agent-alice'), START_AT)

    expect([updated, deactivated]).toEqual([undefined, undefined])
    expect(await storage.agents.list({ within: EVERY_OWNER, limit: 10 })).toEqual([])
  })

  test('keeps the first time when an agent is deactivated again', async () => {
    await using storage = await createStorage(adapter)
    const agent = makeAgent()
    await storage.agents.insert(agent)
    await storage.agents.deactivate(at(agent.id), START_AT + 1)

    const again = await storage.agents.deactivate(at(agent.id), START_AT + 2)

    expect(again).toEqual({ ...agent, state: 'inactive', deactivatedAt: START_AT + 1 })
  })

  test('keeps everything when it is opened again', async () => {
    await using place = await adapter.createPlace()
    const before = await place.open()
    await before.agents.insert(makeAgent({ scopes: ['notes:read'] }))
    await before.agents.deactivate(at('agent-alice'), START_AT + 5)
    await before.close()

    await using after = await place.open()

    expect(await after.agents.find(at('agent-alice'))).toEqual(
      makeAgent({ scopes: ['notes:read'], state: 'inactive', deactivatedAt: START_AT + 5 }),
    )
  })
})
