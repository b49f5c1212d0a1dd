// Subscriptions of Deputy's client, over either transport: through cuts, the end of tokens, revocations and drains.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { startCuttingProxy } from '../support/cutting-proxy.ts'
import { tokenAnswer } from '../support/fake-token-endpoint.ts'
import { startTestAgent, type TestAgent } from '../support/test-agent.ts'
import { collectTicks, createStreamClient, type Transport } from './client-harness.ts'

const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1)

/** Answers with a new token of the agent each time, or with what the test makes of it. */
function issue(agent: TestAgent, changes: (at: number) => Record<string, unknown> = () => ({})) {
  return async (at: number) =>
    tokenAnswer(await agent.token({ jti: `token-${String(at + 1)}`, ...changes(at) }))
}

const REFUSED = () =>
  Response.json({ error: 'invalid_client', error_description: 'no' }, { status: 401 })

describe.each<Transport>(['http', 'websocket'])('a subscription over %s', (transport) => {
  test('is authorized, and delivers', async () => {
    await using agent = await startTestAgent()
    const { client, endpoint } = createStreamClient(agent, {
      transport,
      answerToken: issue(agent),
    })
    await using _client = client
    using stream = collectTicks(client)
    agent.ticker.tickTo(3)

    await stream.reach(3)

    expect(stream.ticks).toEqual([1, 2, 3])
    expect(stream.states).toEqual(['connecting', 'pending'])
    expect(endpoint.requests).toHaveLength(1)
  })

  test('wherever its connections are cut, brings every event once and in order', async () => {
    await using agent = await startTestAgent()
    const count = 12
    agent.ticker.tickTo(count)
    // Handshakes and headers are among these bytes.
    const cuts = fc.array(fc.integer({ min: 0, max: 2500 }), { maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(cuts, async (cutAfter) => {
        await using proxy = await startCuttingProxy(agent.port, cutAfter)
        const { client } = createStreamClient(agent, {
          transport,
          url: proxy.url,
          answerToken: issue(agent),
        })
        await using _client = client
        using stream = collectTicks(client)

        await stream.reach(count)

        expect(stream.ticks).toEqual(upTo(count))
      }),
      { numRuns: 40 },
    )
  })

  test('goes on beyond the end of each token, without a loss and without a repetition', async () => {
    await using agent = await startTestAgent()
    const { client } = createStreamClient(agent, { transport, answerToken: issue(agent) })
    await using _client = client
    using stream = collectTicks(client)

    for (const tick of upTo(6)) {
      agent.ticker.tickTo(tick)
      await stream.reach(tick)
      agent.clock.advance(900)
    }

    expect(stream.ticks).toEqual(upTo(6))
  })

  test('whose caller was ended ends with what the authorization server says, and stays ended', async () => {
    await using agent = await startTestAgent()
    const first = issue(agent)
    const { client, endpoint } = createStreamClient(agent, {
      transport,
      answerToken: async (at) => (at === 0 ? first(at) : REFUSED()),
    })
    await using _client = client
    using stream = collectTicks(client)
    agent.ticker.tickTo(1)
    await stream.reach(1)

    agent.deny('token-1')
    const error = await stream.error()

    expect(error).toMatchObject({ name: 'ClientError', code: 'token_refused' })
    expect(endpoint.requests).toHaveLength(2)
  })

  test('whose every token is revoked ends with that, after a few', async () => {
    // An issuer that has not heard of it yet must not make the client go round.
    await using agent = await startTestAgent()
    const { client, endpoint } = createStreamClient(agent, {
      transport,
      answerToken: issue(agent, () => ({ jti: 'token-1' })),
    })
    await using _client = client
    using stream = collectTicks(client)
    agent.ticker.tickTo(1)
    await stream.reach(1)

    agent.deny('token-1')
    const error = await stream.error()

    expect(error).toMatchObject({ name: 'ClientError', code: 'token_revoked', status: 401 })
    expect(endpoint.requests.length).toBeLessThanOrEqual(3)
  })

  test('whose next token allows less ends with the scope that is missing', async () => {
    await using agent = await startTestAgent()
    const { client } = createStreamClient(agent, {
      transport,
      answerToken: issue(agent, (at) => (at === 0 ? {} : { scope: 'billing:write' })),
    })
    await using _client = client
    using stream = collectTicks(client)
    agent.ticker.tickTo(1)
    await stream.reach(1)

    agent.clock.advance(900)
    const error = await stream.error()

    expect(error).toMatchObject({ code: 'scope_missing', requiredScopes: ['billing:read'] })
  })

  test('of an agent that shuts down goes on at another one at once', async () => {
    const before = await startTestAgent()
    await using after = await startTestAgent()
    await using proxy = await startCuttingProxy(before.port)
    let agent = before
    const { client } = createStreamClient(before, {
      transport,
      url: proxy.url,
      answerToken: async (at) => issue(agent)(at),
    })
    await using _client = client
    using stream = collectTicks(client)
    before.ticker.tickTo(2)
    after.ticker.tickTo(4)
    await stream.reach(2)

    agent = after
    proxy.target = after.port
    await before.close()
    await stream.reach(4)

    expect(stream.ticks).toEqual(upTo(4))
  })

  test('tells what happens to its connection, and why', async () => {
    await using agent = await startTestAgent()
    await using proxy = await startCuttingProxy(agent.port)
    const { client } = createStreamClient(agent, {
      transport,
      url: proxy.url,
      answerToken: issue(agent),
    })
    await using _client = client
    using stream = collectTicks(client)
    await stream.until('pending')

    proxy.cut()
    await stream.until('pending', 2)

    expect(stream.states).toEqual(['connecting', 'pending', 'connecting network_error', 'pending'])
  })

  test('that is not to be resumed ends with the first cut', async () => {
    await using agent = await startTestAgent()
    await using proxy = await startCuttingProxy(agent.port)
    const { client } = createStreamClient(agent, {
      transport,
      url: proxy.url,
      answerToken: issue(agent),
      resume: false,
    })
    await using _client = client
    using stream = collectTicks(client)
    agent.ticker.tickTo(1)
    await stream.reach(1)

    proxy.cut()

    expect(await stream.error()).toMatchObject({ name: 'ClientError', code: 'network_error' })
  })
})
