// tRPC's own links for streams, as anybody has them, against a Deputy agent: the end of authority on each transport, and
// how each goes on.
import {
  createTRPCClient,
  createWSClient,
  httpBatchLink,
  httpBatchStreamLink,
  httpSubscriptionLink,
  splitLink,
  TRPCClientError,
  wsLink,
} from '@trpc/client'
import { EventSource } from 'eventsource'
import { describe, expect, test } from 'vitest'
import { bearer } from '../support/call-trpc.ts'
import { startTestAgent, type TestAgent, type TestRouter } from '../support/test-agent.ts'

type TokenSource = () => Promise<string>

/** Each asks for a token whenever it connects. */
function connectSse(agent: TestAgent, getToken: TokenSource) {
  const url = `${agent.url}/trpc`
  const client = createTRPCClient<TestRouter>({
    links: [
      splitLink({
        condition: ({ type }) => type === 'subscription',
        true: httpSubscriptionLink({
          url,
          EventSource,
          eventSourceOptions: async () => ({
            fetch: async (input, init) =>
              fetch(input, { ...init, headers: { ...init.headers, ...bearer(await getToken()) } }),
          }),
        }),
        false: httpBatchLink({ url, headers: async () => bearer(await getToken()) }),
      }),
    ],
  })
  return { client, close: async () => undefined }
}

function connectWebSocket(agent: TestAgent, getToken: TokenSource) {
  const ws = createWSClient({
    url: `ws://127.0.0.1:${String(agent.port)}/trpc`,
    connectionParams: async () => bearer(await getToken()),
    retryDelayMs: () => 0,
  })
  return {
    client: createTRPCClient<TestRouter>({ links: [wsLink({ client: ws })] }),
    close: async () => ws.close(),
  }
}

function collect(client: ReturnType<typeof connectSse>['client'], lastEventId?: string) {
  const ticks: number[] = []
  const end = Promise.withResolvers<unknown>()
  let changed = Promise.withResolvers<void>()
  const input = lastEventId === undefined ? undefined : { lastEventId }
  const subscription = client.ticks.subscribe(input, {
    onData({ data }) {
      ticks.push(data)
      changed.resolve()
      changed = Promise.withResolvers()
    },
    onError: end.resolve,
  })
  return {
    ticks,
    end: end.promise,
    async reach(count: number): Promise<void> {
      while (ticks.length < count) await changed.promise
    },
    [Symbol.dispose]: () => {
      subscription.unsubscribe()
    },
  }
}

const reasonOf = (error: unknown): unknown =>
  error instanceof TRPCClientError ? error.data.reason : error

describe.each([
  ['httpSubscriptionLink', connectSse],
  ['wsLink', connectWebSocket],
] as const)('%s', (_, connect) => {
  test('delivers what is subscribed to', async () => {
    await using agent = await startTestAgent()
    const { client, close } = connect(agent, async () => agent.token())
    using stream = collect(client)
    agent.ticker.tickTo(3)

    await stream.reach(3)
    await close()

    expect(stream.ticks).toEqual([1, 2, 3])
  })

  test.each([
    ['ends', 'token_expired', (agent: TestAgent) => agent.clock.advance(900)],
    ['is revoked', 'token_revoked', (agent: TestAgent) => agent.deny('token-1')],
  ])('is told why when its token %s, in that moment', async (_what, reason, end) => {
    await using agent = await startTestAgent()
    const { client, close } = connect(agent, async () => agent.token())
    using stream = collect(client)
    agent.ticker.tickTo(1)
    await stream.reach(1)

    end(agent)
    const error = await stream.end
    await close()

    expect(reasonOf(error)).toBe(reason)
  })

  test('goes on with another token after the last event, when it subscribes again', async () => {
    await using agent = await startTestAgent()
    const { client, close } = connect(agent, async () => agent.token())
    using first = collect(client)
    agent.ticker.tickTo(2)
    await first.reach(2)
    agent.clock.advance(900)
    await first.end

    using second = collect(client, String(first.ticks.at(-1)))
    agent.ticker.tickTo(4)
    await second.reach(2)
    await close()

    expect([...first.ticks, ...second.ticks]).toEqual([1, 2, 3, 4])
  })
})

test('wsLink moves to another connection when the agent asks for it, and ends nothing', async () => {
  const agent = await startTestAgent()
  const { client, close } = connectWebSocket(agent, async () => agent.token())
  const held = client.hold.mutate()
  await agent.gate.entered

  const closed = agent.close()
  agent.gate.open()

  expect(await held).toBe('done')
  await close()
  await closed
})

describe('answers over HTTP', () => {
  const link = async (agent: TestAgent) => {
    const options = { url: `${agent.url}/trpc`, headers: bearer(await agent.token()) }
    return { batch: httpBatchLink(options), parts: httpBatchStreamLink(options) }
  }

  test.each([
    ['ends', 'token_expired', (agent: TestAgent) => agent.clock.advance(900)],
    ['is revoked', 'token_revoked', (agent: TestAgent) => agent.deny('token-1')],
  ])('in parts end with the reason where they are when the token %s', async (_, reason, end) => {
    await using agent = await startTestAgent()
    const client = createTRPCClient<TestRouter>({ links: [(await link(agent)).parts] })
    const { later, now } = await client.parts.query()
    const outcome = later.catch(reasonOf)

    end(agent)

    expect([now, await outcome]).toEqual(['here', reason])
  })

  test.each([
    ['ends', 'token_expired', (agent: TestAgent) => agent.clock.advance(900)],
    ['is revoked', 'token_revoked', (agent: TestAgent) => agent.deny('token-1')],
  ])(
    'to a batch are the reason for each call that is under way when the token %s',
    async (_, reason, end) => {
      await using agent = await startTestAgent()
      const client = createTRPCClient<TestRouter>({ links: [(await link(agent)).batch] })
      const outcomes = Promise.all([
        client.hold.mutate().catch(reasonOf),
        client.pending.mutate().catch(reasonOf),
      ])
      await agent.gate.entered

      end(agent)

      expect(await outcomes).toEqual([reason, reason])
    },
  )
})
