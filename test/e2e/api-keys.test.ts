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
  follow: scopedProcedure('notes:read').subscription(async function* follow({ ctx, signal }) {
    yield 1
    const { promise, resolve } = Promise.withResolvers<void>()
    for (const one of [ctx.getSignal(), signal]) one?.addEventListener('abort', () => resolve())
    await promise
  }),
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

describe('a stream that was opened with an API key', () => {
  /** Opens it, and answers how it ended once it has. */
  async function open({ alice, apiKey, bob, world }: Harness) {
    const answer = await alice.fetch(`${bob.url}/trpc/follow`, {
      headers: { 'x-api-key': apiKey, accept: 'text/event-stream' },
    })
    const ended = answer.text().then((text) => /"reason":"(\w+)"/.exec(text)?.[1] ?? text)
    let isOver = false
    ended.finally(() => (isOver = true)).catch(() => undefined)
    await world.settle()
    return { ended, isOver: () => isOver }
  }

  test.each([
    [
      'is deactivated',
      'api_key_invalid',
      async ({ admin, alice }) => admin.agents.deactivate.mutate({ id: alice.id }),
    ],
    [
      'may not call this agent any more',
      'api_key_invalid',
      async ({ admin, alice }) =>
        admin.agents.update.mutate({ id: alice.id, settings: { audiences: [] } }),
    ],
    [
      'may do less',
      'token_revoked',
      async ({ admin, alice }) =>
        admin.agents.update.mutate({ id: alice.id, settings: { scopes: ['notes:write'] } }),
    ],
  ] satisfies [string, string, (harness: Harness) => Promise<unknown>][])(
    'ends at once when its agent %s',
    async (_what, reason, change) => {
      // Attack: a stream of a key, which has no end of its own, that goes on for ever after its scope was taken away.
      await using harness = await setUp()
      const stream = await open(harness)

      await change(harness)
      await harness.world.settle()

      expect(await stream.ended).toBe(reason)
    },
  )

  test('ends in the second in which the overlap of a rotated key does', async () => {
    await using harness = await setUp()
    const { admin, apiKeyId, world } = harness
    const stream = await open(harness)

    await admin.apiKeys.rotate.mutate({ apiKeyId, overlapSeconds: 30 })
    await world.advance(29)
    const before = stream.isOver()
    await world.advance(1)

    expect(before).toBe(false)
    expect(await stream.ended).toBe('api_key_invalid')
  })

  test('ends when it is heard what was missed while the feed was lost', async () => {
    await using harness = await setUp()
    const { admin, alice, bob, world } = harness
    const stream = await open(harness)
    const lost = world.loseFeed(bob)
    await world.settle()

    await admin.agents.update.mutate({ id: alice.id, settings: { audiences: [] } })
    lost.lift()
    await world.advance(30)

    expect(await stream.ended).toBe('api_key_invalid')
  })

  test('goes on through what changes nothing for it', async () => {
    await using harness = await setUp()
    const { admin, alice, world } = harness
    const stream = await open(harness)

    await admin.agents.update.mutate({ id: alice.id, settings: { rateLimitTier: 'low' } })
    await world.advance(5)

    expect(stream.isOver()).toBe(false)
  })

  test('ends at the authorization server itself as well', async () => {
    await using harness = await setUp()
    const { admin, world } = harness
    const scopes = ['audit:read']
    const carol = await world.caller('agent-carol', { scopes, audiences: ['auth-server'] })
    const { apiKey } = await admin.apiKeys.create.mutate({ agentId: carol.id, scopes })
    const answer = await carol.fetch(`${world.issuer}/trpc/audit.tail`, {
      headers: { 'x-api-key': apiKey, accept: 'text/event-stream' },
    })
    await world.settle()

    await admin.agents.update.mutate({ id: carol.id, settings: { scopes: [] } })

    expect(await answer.text()).toContain('"reason":"token_revoked"')
  })
})
