// An agent that loses the feed, and has it again: the stated policy holds in between, and nothing that was
// revoked meanwhile is missed.
import { agentRouter, scopedProcedure } from '@deputy/auth/trpc'
import { createTestWorld, type TestToken } from '@deputy/testing'
import { describe, expect, test } from 'vitest'
import { bearer, callTrpc } from '../support/call-trpc.ts'

const router = agentRouter({
  read: scopedProcedure('notes:read').query(() => 'a note'),
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
  const alice = await world.caller('agent-alice', { scopes: ['notes:read'], audiences: [bob.id] })
  /** What the agent says of a caller with the token. */
  const ask = async (token: TestToken): Promise<unknown> => {
    const { fetch } = alice
    const answer = await callTrpc(bob.url, 'read', { headers: bearer(token.reveal()), fetch })
    return answer.status === 200 ? 'accepted' : answer.error().data['reason']
  }
  /** Opens a stream with the token, and says why it ended once it has. */
  const follow = async (token: TestToken) => {
    const headers = { ...bearer(token.reveal()), accept: 'text/event-stream' }
    const answer = await alice.fetch(`${bob.url}/trpc/follow`, { headers })
    let text: string | undefined
    answer.text().then(
      (all) => (text = all),
      () => undefined,
    )
    await world.settle()
    return { reason: () => text && /"reason":"(\w+)"/.exec(text)?.[1] }
  }
  const resources = stack.move()
  return {
    world,
    bob,
    ask,
    follow,
    askAll: async (tokens: readonly TestToken[]) => Promise.all(tokens.map(ask)),
    token: async () => alice.token(bob),
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

describe('a feed that is cut for 30 seconds', () => {
  test('costs nobody a call, and is caught up with to the last entry', async () => {
    await using harness = await setUp()
    const { askAll, bob, token, world } = harness
    const tokens = [await token(), await token(), await token(), await token()]
    const [, ...others] = tokens
    expect(await harness.askAll(tokens.slice(0, 1))).toEqual(['accepted'])
    const outage = world.outage(world.authServer, { from: bob })

    await world.advance(30)
    for (const one of others) await world.revoke(one)
    const during = await askAll(tokens)
    outage.lift()
    await world.advance(30)
    const after = await askAll(tokens)

    // Younger than `maxStalenessSeconds`: what the view knows counts, and it does not know yet.
    expect(during).toEqual(tokens.map(() => 'accepted'))
    expect(after).toEqual(['accepted', ...others.map(() => 'token_revoked')])
  })
})

describe('a feed that is cut for longer than a view may be old', () => {
  test('is made up for by asking about each caller', async () => {
    await using harness = await setUp()
    const { ask, bob, token, world } = harness
    const [good, ended] = [await token(), await token()]
    using _cut = world.loseFeed(bob)
    await world.revoke(ended)

    await world.advance(61)

    expect([await ask(good), await ask(ended)]).toEqual(['accepted', 'token_revoked'])
  })

  test('counts for the grace when nobody can be asked, and then refuses everybody', async () => {
    await using harness = await setUp()
    const { ask, bob, token, world } = harness
    const good = await token()
    expect(await ask(good)).toBe('accepted')
    using _outage = world.outage(world.authServer, { from: bob })

    await world.advance(60 + 300)
    const inGrace = await ask(good)
    await world.advance(1)

    expect(inGrace).toBe('accepted')
    expect(await ask(good)).toBe('verifier_unavailable')
  })
})

describe('a stream, where the feed is cut for longer than a view may be old', () => {
  // Attack: whoever keeps an agent from its feed, to go on with what was opened before it was taken away.
  test.each([false, true])('ends once it is asked about: silently %s', async (silently) => {
    await using harness = await setUp()
    const { bob, follow, token, world } = harness
    const [good, ended] = [await token(), await token()]
    const [first, second] = [await follow(good), await follow(ended)]
    using _cut = world.loseFeed(bob, { silently })
    await world.revoke(ended)

    await world.advance(90)

    expect([first.reason(), second.reason()]).toEqual([undefined, 'token_revoked'])
  })

  test('counts for the grace when nobody can be asked, and then ends', async () => {
    await using harness = await setUp()
    const { bob, follow, token, world } = harness
    const stream = await follow(await token())
    using _outage = world.outage(world.authServer, { from: bob })

    await world.advance(60 + 300)
    const inGrace = stream.reason()
    await world.advance(30)

    expect(inGrace).toBeUndefined()
    expect(stream.reason()).toBe('verifier_unavailable')
  })
})
