import { describe, expect, test } from 'vitest'
import { makeAgent } from '../../test-support/storage-adapters.ts'
import { Agent, AgentSettings, applyChanges } from './agent.ts'

describe('AgentSettings', () => {
  test('hold each scope and each audience once, in the order in which they were named', () => {
    const settings = AgentSettings.parse({
      name: 'Alice',
      scopes: ['notes:write', 'notes:read', 'notes:write'],
      audiences: ['agent-bob', 'agent-bob'],
      scopesSupported: ['a:b', 'a:b'],
    })

    expect(settings).toMatchObject({
      scopes: ['notes:write', 'notes:read'],
      audiences: ['agent-bob'],
      scopesSupported: ['a:b'],
    })
  })

  test.each([
    ['name', ''],
    ['name', 'x'.repeat(201)],
    ['description', 'x'.repeat(2001)],
    ['scopes', Array.from({ length: 101 }, (_, i) => `a:${String(i)}`)],
    ['scopes', ['a b']],
    ['scopes', ['a"b']],
    ['scopes', ['x'.repeat(257)]],
    ['audiences', ['Agent-Bob']],
    ['audiences', ['https://bob.example']],
    ['accessTokenTtlSeconds', 1801],
    ['accessTokenTtlSeconds', 0.5],
    ['accessTokenTtlSeconds', -1],
  ])('refuse a %s like %j', (name, value) => {
    const settings = AgentSettings.safeParse({ name: 'Alice', [name]: value })

    expect(settings.error?.issues[0]?.path[0]).toBe(name)
  })
})

describe('applyChanges', () => {
  test('changes what is named, to nothing too, and never who the agent is', () => {
    const agent = makeAgent({ description: 'first', scopes: ['a:b'] })
    const changes = { description: '', scopes: [], id: 'agent-mallory', state: 'inactive' }

    const changed = applyChanges(agent, changes)

    expect(Agent.parse(changed)).toEqual({ ...agent, description: '', scopes: [] })
  })
})
