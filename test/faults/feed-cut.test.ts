// An agent that loses the feed, and has it again: the stated policy holds in between, and nothing that was
// revoked meanwhile is missed.
import { createIssuerAuthenticator, type FeedState } from '@deputy/auth'
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { connectAdmin, enrollCast } from '../../apps/auth-server/test-support/admin-client.ts'
import { startAuthServer } from '../../apps/auth-server/test-support/auth-server.ts'
import { getToken } from '../../apps/auth-server/test-support/oauth-request.ts'

/** The agent's line to the authorization server, which can be cut: what is open on it ends. */
function createLine() {
  let open = new AbortController()
  /** `feed`: all but the feed goes through. */
  let cut: 'nothing' | 'feed' | 'all' = 'nothing'
  const fetchOver: typeof fetch = async (input, init) => {
    const { signal, url } = new Request(input, init)
    const isFeed = url.endsWith('/oauth/revocations')
    if (cut === 'all' || (cut === 'feed' && isFeed)) throw new TypeError('fetch failed')
    return fetch(input, { ...init, signal: AbortSignal.any([signal, open.signal]) })
  }
  return {
    fetch: fetchOver,
    cut(what: 'feed' | 'all') {
      cut = what
      open.abort(new TypeError('the line was cut'))
      open = new AbortController()
    },
    mend() {
      cut = 'nothing'
    },
  }
}

async function setUp() {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startAuthServer())
  const operator = stack.use(connectAdmin(server))
  const { alice, bob } = await enrollCast(operator)
  const line = createLine()
  const states: FeedState['state'][] = []
  let heard = Promise.withResolvers<void>()
  const authenticator = stack.use(
    createIssuerAuthenticator({
      issuer: server.issuer,
      agentId: bob.id,
      clientSecret: bob.secret,
      clock: server.clock,
      fetch: line.fetch,
      revocation: {
        onChange({ state }) {
          states.push(state)
          heard.resolve()
          heard = Promise.withResolvers()
        },
      },
    }),
  )
  /** Resolves when the feed is in this state. */
  const until = async (state: FeedState['state']): Promise<void> => {
    while (states.at(-1) !== state) await heard.promise
  }
  /** What the agent says of a caller with the token. */
  const ask = async (token: string): Promise<string> => {
    const header = (name: string) => (name === 'authorization' ? `Bearer ${token}` : undefined)
    const asked = await authenticator.authenticate(header)
    return asked.ok ? 'accepted' : asked.refusal.reason
  }
  const revoke = async (token: string): Promise<void> => {
    const tokenId = decodeJwt(token).jti ?? ''
    await operator.tokens.revoke.mutate({ agentId: alice.id, tokenId })
  }
  const tokens = async (count: number): Promise<readonly string[]> =>
    Promise.all(Array.from({ length: count }, async () => getToken(server, alice)))
  await until('following')
  const resources = stack.move()
  const dispose = async (): Promise<void> => resources.disposeAsync()
  return { server, line, until, ask, revoke, tokens, [Symbol.asyncDispose]: dispose }
}

describe('a feed that is cut for 30 seconds', () => {
  test('costs nobody a call, and is caught up with to the last entry', async () => {
    await using world = await setUp()
    const [good = '', ...others] = await world.tokens(6)
    expect(await world.ask(good)).toBe('accepted')
    world.line.cut('all')
    await world.until('lost')

    world.server.clock.advance(30)
    for (const token of others) await world.revoke(token)
    const during = await Promise.all([good, ...others].map(world.ask))
    world.line.mend()
    await world.until('following')
    const after = await Promise.all([good, ...others].map(world.ask))

    // Younger than `maxStalenessSeconds`: what the view knows counts, and it does not know yet.
    expect(during).toEqual(Array.from({ length: 6 }, () => 'accepted'))
    expect(after).toEqual(['accepted', ...others.map(() => 'token_revoked')])
  })
})

describe('a feed that is cut for longer than a view may be old', () => {
  test('is made up for by asking about each caller', async () => {
    await using world = await setUp()
    const [good = '', ended = ''] = await world.tokens(2)
    world.line.cut('feed')
    await world.until('lost')
    await world.revoke(ended)

    world.server.clock.advance(61)

    expect([await world.ask(good), await world.ask(ended)]).toEqual(['accepted', 'token_revoked'])
  })

  test('counts for the grace when nobody can be asked, and then refuses everybody', async () => {
    await using world = await setUp()
    const [good = ''] = await world.tokens(1)
    expect(await world.ask(good)).toBe('accepted')
    world.line.cut('all')
    await world.until('lost')

    world.server.clock.advance(60 + 300)
    const inGrace = await world.ask(good)
    world.server.clock.advance(1)

    expect(inGrace).toBe('accepted')
    expect(await world.ask(good)).toBe('verifier_unavailable')
  })
})
