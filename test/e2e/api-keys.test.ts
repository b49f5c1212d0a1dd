// API keys at an agent that remembers them, beside a real authorization server: what ends or changes there is
// heeded here, and what is not asked for costs the authorization server nothing.
import { agentRouter, scopedProcedure } from '@deputy/auth/trpc'
import { createTestWorld } from '@deputy/testing'
import { describe, expect, test } from 'vitest'
import { callTrpc } from '../support/call-trpc.ts'

const GOOD = 'notes:read notes:write standard'

const router = agentRouter({
  me: scopedProcedure('notes:read').query(({ ctx: { principal } }) => {
    const { rateLimitTier = 'none', scopes } = principal
    return `${scopes.join(' ')} ${rateLimitTier}`
  }),
  write: scopedProcedure('notes:write').mutation(() => 'written'),
})

async function setUp() {
  await using stack = new AsyncDisposableStack()
  const world = stack.use(await createTestWorld())
  const bob = await world.agent('agent-bob', { router })
  const scopes = ['notes:read', 'notes:write']
  const alice = await world.caller('agent-alice', { scopes, audiences: [bob.id] })
  const { admin } = world
  const { apiKey, apiKeyId } = await admin.apiKeys.create.mutate({ agentId: alice.id, scopes })

  /** What the agent says of a caller with the key: its scopes and its tier, or why not. */
  const ask = async (key: string, by: 'x-api-key' | 'authorization' = 'x-api-key') => {
    const headers = { [by]: by === 'authorization' ? `Bearer ${key}` : key }
    const answer = await callTrpc(bob.url, 'me', { headers, fetch: alice.fetch })
    return answer.status === 200 ? answer.data() : answer.error().data['reason']
  }
  const resources = stack.move()
  return {
    world,
    admin,
    alice,
    bob,
    apiKey,
    apiKeyId,
    ask,
    /** How often the agent asked about a key. */
    asked: () => world.requests.filter(({ path }) => path === '/oauth/introspect').length,
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}
type Harness = Awaited<ReturnType<typeof setUp>>

describe('an agent that takes API keys', () => {
  test('asks about a key once, whichever way it is sent', async () => {
    await using harness = await setUp()
    const { apiKey, ask, asked } = harness

    const answers = [await ask(apiKey), await ask(apiKey, 'authorization'), await ask(apiKey)]

    expect([answers, asked()]).toEqual([[GOOD, GOOD, GOOD], 1])
  })

  test.each([
    [
      'is deactivated',
      async ({ admin, apiKeyId }) => admin.apiKeys.deactivate.mutate({ apiKeyId }),
    ],
    [
      'is revoked by its own agent',
      async ({ alice, apiKey, world }) =>
        alice.fetch(`${world.issuer}/oauth/revoke`, {
          method: 'POST',
          headers: { authorization: `Basic ${btoa(`${alice.id}:${alice.secret.reveal()}`)}` },
          body: new URLSearchParams({ token: apiKey }),
        }),
    ],
    [
      'is superseded without an overlap',
      async ({ admin, apiKeyId }) => admin.apiKeys.rotate.mutate({ apiKeyId, overlapSeconds: 0 }),
    ],
    [
      'loses its agent',
      async ({ admin, alice }) => admin.agents.deactivate.mutate({ id: alice.id }),
    ],
    [
      'may not call this agent any more',
      async ({ admin, alice }) =>
        admin.agents.update.mutate({ id: alice.id, settings: { audiences: [] } }),
    ],
  ] satisfies [string, (harness: Harness) => Promise<unknown>][])(
    'refuses a key from the moment in which it %s',
    async (_what, end) => {
      await using harness = await setUp()
      const { apiKey, ask, world } = harness
      expect(await ask(apiKey)).toBe(GOOD)

      await end(harness)
      await world.settle()

      expect(await ask(apiKey)).toBe('api_key_invalid')
    },
  )

  test.each([
    [
      'its agent may do less',
      async ({ admin, alice }) =>
        admin.agents.update.mutate({ id: alice.id, settings: { scopes: ['notes:read'] } }),
      'notes:read standard',
    ],
    [
      'its agent has another tier',
      async ({ admin, alice }) =>
        admin.agents.update.mutate({ id: alice.id, settings: { rateLimitTier: 'low' } }),
      'notes:read notes:write low',
    ],
    [
      'the agent that is called knows fewer scopes',
      async ({ admin, bob }) =>
        admin.agents.update.mutate({ id: bob.id, settings: { scopesSupported: ['notes:read'] } }),
      'notes:read standard',
    ],
  ] satisfies [string, (harness: Harness) => Promise<unknown>, string][])(
    'takes a key for what it is from the moment in which %s',
    async (_what, change, then) => {
      await using harness = await setUp()
      const { apiKey, ask, world } = harness
      expect(await ask(apiKey)).toBe(GOOD)

      await change(harness)
      await world.settle()

      expect(await ask(apiKey)).toBe(then)
    },
  )

  test('lets an old key go on to the second in which its overlap ends', async () => {
    await using harness = await setUp()
    const { admin, apiKey, apiKeyId, ask, world } = harness
    await ask(apiKey)

    const { apiKey: next } = await admin.apiKeys.rotate.mutate({ apiKeyId, overlapSeconds: 30 })
    await world.advance(29)
    const before = [await ask(apiKey), await ask(next)]
    await world.advance(1)

    expect(before).toEqual([GOOD, GOOD])
    expect([await ask(apiKey), await ask(next)]).toEqual(['api_key_invalid', GOOD])
  })

  test('asks about each call while the feed is lost, so that nothing is missed', async () => {
    await using harness = await setUp()
    const { admin, apiKey, apiKeyId, ask, asked, bob, world } = harness
    await ask(apiKey)
    const lost = world.loseFeed(bob)
    await world.settle()

    const during = [await ask(apiKey), await ask(apiKey), asked()]
    await admin.apiKeys.deactivate.mutate({ apiKeyId })
    const after = await ask(apiKey)
    lost.lift()
    await world.advance(30)

    expect([during, after]).toEqual([[GOOD, GOOD, 3], 'api_key_invalid'])
    expect(await ask(apiKey)).toBe('api_key_invalid')
  })

  test('remembers nothing of before once the feed is back', async () => {
    await using harness = await setUp()
    const { admin, apiKey, apiKeyId, ask, bob, world } = harness
    await ask(apiKey)
    const lost = world.loseFeed(bob)
    await admin.apiKeys.deactivate.mutate({ apiKeyId })

    lost.lift()
    await world.advance(30)

    expect(await ask(apiKey)).toBe('api_key_invalid')
  })
})
