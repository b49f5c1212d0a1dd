import { createServer } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { createFakeTokenEndpoint, tokenAnswer } from '../../../test/support/fake-token-endpoint.ts'
import { findFreePort } from '../../../test/support/find-free-port.ts'
import {
  startTestAgent,
  TEST_AGENT,
  type TestAgent,
  type TestRouter,
} from '../../../test/support/test-agent.ts'
import { ISSUER } from '../../../test/support/test-issuer.ts'
import { clientSecret, createAgentClient, toClientError, type AgentClientOptions } from './index.ts'

function createClient(
  agent: TestAgent,
  {
    timeoutMs = 2000,
    url = agent.url,
    WebSocket,
  }: Partial<Pick<AgentClientOptions, 'timeoutMs' | 'url' | 'WebSocket'>> = {},
) {
  const endpoint = createFakeTokenEndpoint(async () => tokenAnswer(await agent.token()))
  const credentials = clientSecret({
    issuer: ISSUER,
    clientId: 'agent-alice-v1',
    clientSecret: 'cs-agent-hunter2',
    fetch: endpoint.fetch,
    clock: agent.clock,
  })
  const client = createAgentClient<TestRouter>({
    url,
    credentials,
    audience: TEST_AGENT,
    scopes: [],
    transport: 'websocket',
    timeoutMs,
    WebSocket,
  })
  return { client, endpoint }
}

/** A connection has one correlation id. */
const connections = (agent: TestAgent): number =>
  new Set(
    agent
      .log()
      .filter((line) => line['msg'] === 'call')
      .map((line) => line['correlationId']),
  ).size

describe('over WebSocket', () => {
  test('an input that is no JSON is refused by itself, and the calls of the same moment are answered', async () => {
    await using agent = await startTestAgent()
    const { client } = createClient(agent)
    await using _client = client
    // On an open connection, calls of one moment leave as one text.
    await client.whoAmI.query()
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a caller without types may pass
    const notJson = 1n as unknown as string

    const [before, refused, after] = await Promise.allSettled([
      client.echo.query({ text: 'before' }),
      client.echo.query({ text: notJson }),
      client.echo.query({ text: 'after' }),
    ])

    expect([before, after]).toEqual([
      { status: 'fulfilled', value: 'before' },
      { status: 'fulfilled', value: 'after' },
    ])
    const reason: unknown = refused.status === 'rejected' ? refused.reason : undefined
    expect(toClientError(reason)).toMatchObject({ code: 'input_invalid' })
  })

  test.each([
    ['more than a message may hold', 150, 10],
    ['larger together than a message may be', 80, 20_000],
  ])('calls of one moment are answered that are %s', async (_, count, chars) => {
    await using agent = await startTestAgent({ rateLimitTiers: { standard: null } })
    const { client } = createClient(agent)
    await using _client = client
    await client.whoAmI.query()
    const texts = Array.from({ length: count }, (_, at) => String(at).padEnd(chars, 'x'))

    const answers = await Promise.all(texts.map(async (text) => client.echo.query({ text })))

    expect(answers).toEqual(texts)
    expect(connections(agent)).toBe(1)
  })

  test('calls share one connection', async () => {
    await using agent = await startTestAgent()
    const { client } = createClient(agent)
    await using _client = client

    const answers = await Promise.all(
      ['a', 'b', 'c'].map(async (text) => client.echo.query({ text })),
    )
    await client.whoAmI.query()

    expect(answers).toEqual(['a', 'b', 'c'])
    expect(connections(agent)).toBe(1)
  })

  test('the token is not in the URL', async () => {
    // Attack: URLs are logged by every proxy on the way.
    await using agent = await startTestAgent()
    const seen: unknown[] = []
    const proxy = createServer().on('upgrade', (req, socket) => {
      seen.push(req.url, req.headers.authorization)
      socket.destroy()
    })
    const port = await findFreePort()
    await new Promise<void>((resolve) => proxy.listen(port, '127.0.0.1', resolve))
    const { client } = createClient(agent, { url: `http://127.0.0.1:${String(port)}` })

    await client.whoAmI.query().catch(toClientError)
    await client[Symbol.asyncDispose]()
    await new Promise((resolve) => proxy.close(resolve))

    expect(seen.slice(0, 2)).toEqual(['/trpc?connectionParams=1', undefined])
  })

  test('a token that has ended takes its connection along, and the next call opens another', async () => {
    await using agent = await startTestAgent()
    const { client, endpoint } = createClient(agent)
    await using _client = client
    await client.whoAmI.query()

    agent.clock.advance(900)
    const answer = await client.whoAmI.query()

    expect(answer.expiresAt).toBe(agent.clock.now() + 900)
    expect([connections(agent), endpoint.requests.length]).toEqual([2, 2])
  })

  test('a mutation under way when its token ends is told so, and not begun a second time', async () => {
    await using agent = await startTestAgent()
    const { client } = createClient(agent)
    await using _client = client
    const held = client.pending.mutate().catch(toClientError)
    await agent.gate.entered

    agent.clock.advance(900)
    await client.whoAmI.query()
    agent.gate.open()

    expect(await held).toMatchObject({ code: 'token_expired', mayBeDone: true })
    expect(agent.ticker.signals).toHaveLength(1)
  })

  test('a connection that is refused is told at once, not waited for', async () => {
    await using agent = await startTestAgent()
    const url = `http://127.0.0.1:${String(await findFreePort())}`
    const { client } = createClient(agent, { url })
    await using _client = client

    const error = await client.whoAmI.query().catch(toClientError)

    expect(error).toMatchObject({
      name: 'ClientError',
      code: 'network_error',
      message: expect.stringMatching(/^WebSocket closed|^Initialization error/) as string,
      hint: 'Check that the agent is running and that its URL is right.',
    })
  })

  test('a mutation for which no connection can be made was certainly not carried out, and is tried again', async () => {
    await using agent = await startTestAgent()
    const url = `http://127.0.0.1:${String(await findFreePort())}`
    let attempts = 0
    class CountedSocket extends WebSocket {
      constructor(...parts: ConstructorParameters<typeof WebSocket>) {
        super(...parts)
        attempts += 1
      }
    }
    const { client } = createClient(agent, { url, WebSocket: CountedSocket })
    await using _client = client

    const error = await client.slow.mutate().catch(toClientError)

    expect(error).toMatchObject({ code: 'network_error', mayBeDone: undefined })
    expect(attempts).toBe(3)
  })

  test('a call that is not answered in time is told that it may have been carried out', async () => {
    await using agent = await startTestAgent()
    const { client } = createClient(agent, { timeoutMs: 100 })
    await using _client = client
    await client.whoAmI.query()

    const error = await client.hold.mutate().catch(toClientError)
    agent.gate.open()

    expect(error).toMatchObject({
      code: 'deadline_exceeded',
      hint: expect.stringContaining('idempotency key') as string,
    })
  })

  test('a call that its caller gives up is cancelled at the agent, as it is over HTTP', async () => {
    await using agent = await startTestAgent()
    const { client } = createClient(agent)
    await using _client = client
    const gaveUp = new AbortController()
    const given = client.pending.mutate(undefined, { signal: gaveUp.signal }).catch(toClientError)
    const kept = client.hold.mutate()
    await agent.gate.arrived(2)
    const [signal] = agent.ticker.signals

    gaveUp.abort()
    await new Promise((resolve) => signal?.addEventListener('abort', resolve))

    expect(await given).toMatchObject({ code: 'call_aborted', mayBeDone: true })
    agent.gate.open()
    expect(await kept).toBe('done')
    expect(connections(agent)).toBe(1)
  })

  test('a call that is given up while its agent shuts down is cancelled there, not where its client has gone since', async () => {
    await using old = await startTestAgent()
    await using next = await startTestAgent()
    const moved = Promise.withResolvers<void>()
    let sockets = 0
    class MovingSocket extends WebSocket {
      constructor(url: string | URL) {
        sockets += 1
        super(sockets === 1 ? url : String(url).replace(String(old.port), String(next.port)))
      }
      override send(data: Parameters<WebSocket['send']>[0]) {
        super.send(data)
        // Its first message: the client is there.
        if (this.url.includes(String(next.port))) moved.resolve()
      }
    }
    const { client } = createClient(old, { timeoutMs: 60_000, WebSocket: MovingSocket })
    await using _client = client
    const gaveUp = new AbortController()
    const given = client.pending.mutate(undefined, { signal: gaveUp.signal }).catch(toClientError)
    const kept = client.hold.mutate().catch(toClientError)
    await old.gate.arrived(2)
    const [signal] = old.ticker.signals
    const closed = old.close()
    await moved.promise
    await nextTurn()

    gaveUp.abort()
    const reason = await new Promise((resolve) => {
      signal?.addEventListener('abort', () => resolve(signal.reason))
    })

    expect(reason).toMatchObject({ name: 'AbortError' })
    expect(await given).toMatchObject({ code: 'call_aborted', mayBeDone: true })
    old.gate.open()
    expect(await kept).toBe('done')
    await closed
  })

  test('a call that was answered is not cancelled after that', async () => {
    await using agent = await startTestAgent()
    const { client } = createClient(agent)
    await using _client = client
    const send = vi.spyOn(WebSocket.prototype, 'send')

    await client.whoAmI.query()
    await client.refuse.query().catch(toClientError)

    const said = send.mock.calls.map((sent) => JSON.stringify(sent))
    expect(said.filter((text) => text.includes('subscription.stop'))).toEqual([])
    expect(said.length).toBeGreaterThan(1)
  })

  test('an agent that has gone since is told at once too', async () => {
    await using agent = await startTestAgent()
    const { client } = createClient(agent)
    await using _client = client
    await client.whoAmI.query()

    await agent.close()
    const errors = [
      await client.whoAmI.query().catch(toClientError),
      await client.whoAmI.query().catch(toClientError),
    ]

    expect(errors).toMatchObject([{ code: 'network_error' }, { code: 'network_error' }])
  })

  test('refusals read as they do over HTTP', async () => {
    await using agent = await startTestAgent()
    const { client } = createClient(agent)
    await using _client = client

    expect(await client.pay.mutate({ amountMinor: 1 }).catch(toClientError)).toMatchObject({
      code: 'scope_missing',
      status: 403,
      requiredScopes: ['billing:write'],
    })
  })

  test('a subscription delivers until it is ended', async () => {
    await using agent = await startTestAgent()
    const { client } = createClient(agent)
    await using _client = client
    const first = Promise.withResolvers<number>()

    const subscription = client.count.subscribe(undefined, {
      onData: first.resolve,
      onError: first.reject,
    })

    expect(await first.promise).toBe(1)
    subscription.unsubscribe()
  })
})

describe('disposing of a client', () => {
  test('ends its connections, so that the agent has nobody left to wait for', async () => {
    const agent = await startTestAgent()
    const { client } = createClient(agent)
    await client.whoAmI.query()

    await client[Symbol.asyncDispose]()
    await agent.close()

    expect(agent.log().at(-1)).toMatchObject({ msg: 'closed' })
  })

  test('ends the connection of a call that waited for its token, too', async () => {
    await using agent = await startTestAgent()
    const closed = Promise.withResolvers<unknown>()
    class WatchedSocket extends WebSocket {
      constructor(...parts: ConstructorParameters<typeof WebSocket>) {
        super(...parts)
        this.addEventListener('close', closed.resolve)
      }
    }
    const { client } = createClient(agent, { WebSocket: WatchedSocket })
    const call = client.whoAmI.query()

    await client[Symbol.asyncDispose]()

    expect(await call).toMatchObject({ agentId: 'agent-alice-v1' })
    await closed.promise
  })

  test('waits for the answer to a call whose connection is being made', async () => {
    await using agent = await startTestAgent()
    const connecting = Promise.withResolvers<void>()
    class WatchedSocket extends WebSocket {
      constructor(...parts: ConstructorParameters<typeof WebSocket>) {
        super(...parts)
        connecting.resolve()
      }
    }
    const { client } = createClient(agent, { WebSocket: WatchedSocket })
    const call = client.slow.mutate().then(() => 'done', toClientError)
    await connecting.promise

    await client[Symbol.asyncDispose]()

    expect(await call).toBe('done')
  })

  test('before the first call does nothing', async () => {
    await using agent = await startTestAgent()
    const { client, endpoint } = createClient(agent)

    await client[Symbol.asyncDispose]()

    expect(endpoint.requests).toEqual([])
  })
})
