import { describe, expect, test } from 'vitest'
import { makeAgent } from '../../test-support/storage-adapters.ts'
import { AgentSettings, findAllowedScopes, isVisible } from './agent.ts'

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

describe('what a client may do at a target', () => {
  const target = makeAgent({
    id: 'agent-bob',
    scopesSupported: ['notes:read', 'notes:write'],
    sharedScopes: ['notes:read', 'mail:send'],
  })

  test('is what both sides know, when they have one owner', () => {
    const client = makeAgent({ scopes: ['notes:write', 'mail:send'] })

    expect(findAllowedScopes(client, target)).toEqual(['notes:write'])
  })

  test('is what the target shares and supports, when another owner has it', () => {
    // Attack: an owner grants its own agent a scope that another owner's agent keeps for its own.
    const client = makeAgent({
      ownerId: 'acme',
      scopes: ['notes:read', 'notes:write', 'mail:send'],
    })

    expect(findAllowedScopes(client, target)).toEqual(['notes:read'])
  })

  test.each([
    { name: 'its own', ownerId: 'system', sharedScopes: [], visible: true },
    {
      name: "another owner's that shares nothing",
      ownerId: 'acme',
      sharedScopes: [],
      visible: false,
    },
    { name: "another owner's that shares", ownerId: 'acme', sharedScopes: ['a:b'], visible: true },
  ])('sees $name: $visible', ({ ownerId, sharedScopes, visible }) => {
    expect(isVisible(makeAgent({ ownerId }), makeAgent({ id: 'agent-bob', sharedScopes }))).toBe(
      visible,
    )
  })
})
