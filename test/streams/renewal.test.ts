// A WebSocket stays open when its client's token is renewed: the new one is presented on it before the old one ends.
// And tokens that are bound to a key, over streams and sockets.
import { createDpopNonces } from '@deputy/auth'
import { generateDpopKey } from '@deputy/client'
import { calculateJwkThumbprint, decodeProtectedHeader } from 'jose'
import { describe, expect, test } from 'vitest'
import { tokenAnswer } from '../support/fake-token-endpoint.ts'
import { createSettableClock } from '../support/settable-clock.ts'
import { startTestAgent, type TestAgent } from '../support/test-agent.ts'
import {
  collectTicks,
  createStreamClient,
  type StreamClient,
  type StreamClientOptions,
  type Transport,
} from './client-harness.ts'

const jti = (at: number): string => `token-${String(at + 1)}`

/** A connection has one correlation id. */
const connections = (agent: TestAgent): number =>
  new Set(
    agent
      .log()
      .filter((line) => line['msg'] === 'call')
      .map((line) => line['correlationId']),
  ).size

function connect(agent: TestAgent, options: Partial<StreamClientOptions> = {}) {
  return createStreamClient(agent, {
    transport: 'websocket',
    answerToken: async (at) => tokenAnswer(await agent.token({ jti: jti(at) })),
    ...options,
  })
}

/** Calls until a call is made under this token: the answer to the renewal may take a moment. */
async function callUnder(client: StreamClient, tokenId: string): Promise<void> {
  for (let call = 0; call < 1000; call += 1) {
    const { credential } = await client.whoAmI.query()
    if (credential.id === tokenId) return
  }
  throw new Error(`no call was made under ${tokenId}`)
}

describe('a WebSocket whose token is renewed', () => {
  test('stays open, and what is under way on it goes on beyond the end of the old one', async () => {
    await using agent = await startTestAgent()
    const { client } = connect(agent)
    await using _client = client
    using stream = collectTicks(client)
    agent.ticker.tickTo(1)
    await stream.reach(1)

    for (const [at, tick] of [2, 3, 4].entries()) {
      agent.clock.advance(850)
      await callUnder(client, jti(at + 1))
      agent.ticker.tickTo(tick)
      await stream.reach(tick)
    }

    expect(stream.ticks).toEqual([1, 2, 3, 4])
    expect(stream.states).toEqual(['connecting', 'pending'])
    expect(connections(agent)).toBe(1)
  })

  test('is renewed by the clock alone, when nobody calls', async () => {
    await using agent = await startTestAgent()
    const renewed = Promise.withResolvers<void>()
    const { client } = connect(agent, {
      async answerToken(at) {
        if (at === 1) renewed.resolve()
        return tokenAnswer(await agent.token({ jti: jti(at) }))
      },
    })
    await using _client = client
    using stream = collectTicks(client)
    agent.ticker.tickTo(1)
    await stream.reach(1)

    agent.clock.advance(850)
    await renewed.promise
    await callUnder(client, jti(1))

    expect(connections(agent)).toBe(1)
  })

  test('with one that is refused there goes on over another connection', async () => {
    await using agent = await startTestAgent()
    const { client } = connect(agent, {
      answerToken: async (at) =>
        tokenAnswer(
          await agent.token({ jti: jti(at), client_id: at === 0 ? 'agent-alice-v1' : 'agent-bob' }),
        ),
    })
    await using _client = client
    await client.whoAmI.query()

    agent.clock.advance(850)
    await callUnder(client, jti(1))

    expect(connections(agent)).toBe(2)
  })

  test('sends what is called behind the new token under it', async () => {
    await using agent = await startTestAgent()
    const { client } = connect(agent)
    await using _client = client
    await client.whoAmI.query()

    agent.clock.advance(900)
    const answer = await client.whoAmI.query()

    expect(answer.credential).toEqual({ kind: 'access_token', id: jti(1) })
  })
})

/** An authorization server that binds its tokens to the key of the request's proof. */
async function connectBound(agent: TestAgent, transport: Transport) {
  const dpopKey = await generateDpopKey()
  const made = createStreamClient(agent, {
    transport,
    dpopKey,
    async answerToken(at) {
      const { jwk } = decodeProtectedHeader(made.endpoint.requests[at]?.headers.get('dpop') ?? '')
      if (jwk === undefined) throw new TypeError('no proof was sent')
      const cnf = { jkt: await calculateJwkThumbprint(jwk) }
      const token = await agent.token({ jti: jti(at), cnf })
      return tokenAnswer(token, { token_type: 'DPoP' })
    },
  })
  return made
}

describe.each<Transport>(['http', 'websocket'])(
  'tokens that are bound to a key, over %s',
  (via) => {
    test('are proved when a stream is opened, and when its token is another one', async () => {
      await using agent = await startTestAgent()
      const { client } = await connectBound(agent, via)
      await using _client = client
      using stream = collectTicks(client)
      agent.ticker.tickTo(1)
      await stream.reach(1)

      agent.clock.advance(850)
      await callUnder(client, jti(1))
      agent.clock.advance(100)
      agent.ticker.tickTo(2)
      await stream.reach(2)

      expect(stream.ticks).toEqual([1, 2])
    })

    test('are proved with the nonce that the agent wants, also when it wants another one', async () => {
      const clock = createSettableClock()
      const dpopNonces = createDpopNonces({ clock, secret: new Uint8Array(32).fill(5) })
      await using agent = await startTestAgent({ dpopNonces })
      const { client } = await connectBound(agent, via)
      await using _client = client
      using stream = collectTicks(client)
      agent.ticker.tickTo(1)
      await stream.reach(1)

      clock.advance(3600)
      agent.clock.advance(850)
      await callUnder(client, jti(1))
      agent.clock.advance(100)
      agent.ticker.tickTo(2)
      await stream.reach(2)

      expect(stream.ticks).toEqual([1, 2])
    })
  },
)
