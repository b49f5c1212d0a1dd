// API keys at an agent that remembers them, beside a real authorization server: what ends or changes there is
// heeded here, and what is not asked for costs the authorization server nothing.
import { createIssuerAuthenticator, type FeedState } from '@deputy/auth'
import { describe, expect, test } from 'vitest'
import { connectAdmin, enrollCast } from '../../apps/auth-server/test-support/admin-client.ts'
import { startAuthServer } from '../../apps/auth-server/test-support/auth-server.ts'
import { revoke } from '../../apps/auth-server/test-support/oauth-request.ts'

/** Not by way of a `Request`, whose own signal may be collected with it. */
function anySignal(given: AbortSignal | null | undefined, other: AbortSignal): AbortSignal {
  return given === undefined || given === null ? other : AbortSignal.any([given, other])
}

const GOOD = 'notes:read notes:write standard'

async function setUp() {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startAuthServer())
  const admin = stack.use(connectAdmin(server))
  const { alice, bob } = await enrollCast(admin)
  const scopes = ['notes:read', 'notes:write']
  const { apiKey, apiKeyId } = await admin.apiKeys.create.mutate({ agentId: alice.id, scopes })
  let asked = 0
  let isFeedCut = false
  let open = new AbortController()
  const states: FeedState['state'][] = []
  let heard = Promise.withResolvers<void>()
  const authenticator = stack.use(
    createIssuerAuthenticator({
      issuer: server.issuer,
      agentId: bob.id,
      clientSecret: bob.secret,
      clock: server.clock,
      async fetch(input, init) {
        const { url } = new Request(input, init)
        if (url.endsWith('/oauth/introspect')) asked += 1
        if (!url.endsWith('/oauth/revocations')) return fetch(input, init)
        if (isFeedCut) throw new TypeError('fetch failed')
        return fetch(input, { ...init, signal: anySignal(init?.signal, open.signal) })
      },
      revocation: {
        onChange({ state }) {
          states.push(state)
          heard.resolve()
          heard = Promise.withResolvers()
        },
      },
    }),
  )
  const until = async (state: FeedState['state']): Promise<void> => {
    while (states.at(-1) !== state) await heard.promise
  }
  /** What the agent says of a caller with the key: its scopes and its tier, or why not. */
  const ask = async (key: string, by: 'x-api-key' | 'authorization' = 'x-api-key') => {
    const value = by === 'authorization' ? `Bearer ${key}` : key
    const found = await authenticator.authenticate((name) => (name === by ? value : undefined))
    if (!found.ok) return found.refusal.reason
    const { rateLimitTier = 'none', scopes: held } = found.value.principal
    return `${held.join(' ')} ${rateLimitTier}`
  }
  /** Asks until it is good as it was no more, a hundred times at most: the feed is faster than that. */
  const askUntilOther = async (key: string): Promise<string> => {
    let answer = GOOD
    for (let count = 0; count < 100 && answer === GOOD; count += 1) {
      answer = await ask(key)
      // Turns of the loop, in which the feed can be read.
      await (await fetch(`${server.issuer}/livez`)).text()
    }
    return answer
  }
  await until('following')
  const resources = stack.move()
  return {
    admin,
    alice,
    bob,
    server,
    apiKey,
    apiKeyId,
    ask,
    askUntilOther,
    until,
    asked: () => asked,
    cutFeed() {
      isFeedCut = true
      open.abort(new TypeError('the line was cut'))
      open = new AbortController()
    },
    mendFeed() {
      isFeedCut = false
    },
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

describe('an agent that takes API keys', () => {
  test('asks about a key once, whichever way it is sent', async () => {
    await using world = await setUp()

    const answers = [
      await world.ask(world.apiKey),
      await world.ask(world.apiKey, 'authorization'),
      await world.ask(world.apiKey),
    ]

    expect([answers, world.asked()]).toEqual([[GOOD, GOOD, GOOD], 1])
  })

  test.each([
    [
      'is deactivated',
      async ({ admin, apiKeyId }) => admin.apiKeys.deactivate.mutate({ apiKeyId }),
    ],
    [
      'is revoked by its own agent',
      async ({ alice, apiKey, server }) => revoke(server, alice, apiKey),
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
  ] satisfies [string, (world: Awaited<ReturnType<typeof setUp>>) => Promise<unknown>][])(
    'refuses a key within moments once it %s',
    async (_what, end) => {
      await using world = await setUp()
      expect(await world.ask(world.apiKey)).toBe(GOOD)

      await end(world)

      expect(await world.askUntilOther(world.apiKey)).toBe('api_key_invalid')
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
        admin.agents.update.mutate({ id: bob.id, settings: { scopesSupported: ['notes:write'] } }),
      'notes:write standard',
    ],
  ] satisfies [string, (world: Awaited<ReturnType<typeof setUp>>) => Promise<unknown>, string][])(
    'takes a key for what it is within moments once %s',
    async (_what, change, then) => {
      await using world = await setUp()
      expect(await world.ask(world.apiKey)).toBe(GOOD)

      await change(world)

      expect(await world.askUntilOther(world.apiKey)).toBe(then)
    },
  )

  test('lets an old key go on to the second in which its overlap ends', async () => {
    await using world = await setUp()
    const { admin, apiKey, apiKeyId, server } = world
    await world.ask(apiKey)

    const { apiKey: next } = await admin.apiKeys.rotate.mutate({ apiKeyId, overlapSeconds: 30 })
    server.clock.advance(29)
    const before = [await world.ask(apiKey), await world.ask(next)]
    server.clock.advance(1)

    expect(before).toEqual([GOOD, GOOD])
    expect([await world.ask(apiKey), await world.ask(next)]).toEqual(['api_key_invalid', GOOD])
  })

  test('asks about each call while the feed is lost, so that nothing is missed', async () => {
    await using world = await setUp()
    const { admin, apiKey, apiKeyId } = world
    await world.ask(apiKey)
    world.cutFeed()
    await world.until('lost')

    const during = [await world.ask(apiKey), await world.ask(apiKey)]
    const asked = world.asked()
    await admin.apiKeys.deactivate.mutate({ apiKeyId })
    const after = await world.ask(apiKey)
    world.mendFeed()
    await world.until('following')

    expect([during, asked, after]).toEqual([[GOOD, GOOD], 3, 'api_key_invalid'])
    expect(await world.ask(apiKey)).toBe('api_key_invalid')
  })

  test('remembers nothing of before once the feed is back', async () => {
    await using world = await setUp()
    const { admin, apiKey, apiKeyId } = world
    await world.ask(apiKey)
    world.cutFeed()
    await world.until('lost')
    await admin.apiKeys.deactivate.mutate({ apiKeyId })
    world.mendFeed()
    await world.until('following')

    expect(await world.ask(apiKey)).toBe('api_key_invalid')
  })
})
