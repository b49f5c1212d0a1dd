// Deadlines and cancellation: on every way that a call can come, and over a chain of three agents.
import { createAuthenticator, type Principal } from '@deputy/auth'
import { accept, createAgentSecret, refuse, type Clock } from '@deputy/auth/protocol'
import { agentRouter, scopedProcedure } from '@deputy/auth/trpc'
import type { CallScope } from '@deputy/client'
import { apiKey, createAgentClient, toClientError, withinCall } from '@deputy/client'
import { createLogger, serveAgent } from '@deputy/serve'
import { describe, expect, test } from 'vitest'
import { callTrpc } from '../support/call-trpc.ts'
import { openWebSocket } from '../support/raw-socket.ts'

/** A clock of milliseconds, whose timers run when it is moved. */
function createMillisecondClock() {
  let now = 1_800_000_000_000
  const alarms = new Set<{ readonly at: number; readonly callback: () => void }>()
  const clock: Clock = {
    now: () => Math.floor(now / 1000),
    msUntil: (at) => at * 1000 - now,
    after(ms, callback) {
      const alarm = { at: now + ms, callback }
      alarms.add(alarm)
      return () => alarms.delete(alarm)
    },
  }
  return {
    ...clock,
    advanceMs(ms: number): void {
      now += ms
      const due = [...alarms].filter(({ at }) => at <= now).toSorted((a, b) => a.at - b.at)
      for (const alarm of due) if (alarms.delete(alarm)) alarm.callback()
    },
  }
}
type TestClock = ReturnType<typeof createMillisecondClock>

const CALLER: Principal = {
  agentId: 'agent-alice-v1',
  subject: 'agent-alice-v1',
  audience: 'agent-test-v1',
  scopes: ['work:do'],
  priorActors: [],
  expiresAt: undefined,
  grantPath: ['key-1'],
  limits: [],
  credential: { kind: 'api_key', id: 'key-1' },
}

const KEY = createAgentSecret('apiKey')
const HEADERS = { 'x-api-key': KEY }

/** What happened at an agent. */
type Seen = { remainingMs: number; signal: AbortSignal; procedureSignal: AbortSignal | undefined }

type AgentOptions = {
  readonly clock: TestClock
  /** What the work is: by default it never ends. */
  readonly work?: (ctx: CallScope) => Promise<string>
  readonly limits?: { readonly defaultTimeoutMs?: number; readonly maxTimeoutMs?: number }
}

async function startAgent({ clock, limits, work }: AgentOptions) {
  const seen: Seen[] = []
  let arrived = Promise.withResolvers<void>()
  const note = (ctx: CallScope, procedureSignal: AbortSignal | undefined): void => {
    const remainingMs = ctx.getDeadline?.()?.remainingMs() ?? Number.POSITIVE_INFINITY
    seen.push({
      remainingMs,
      signal: withinCall(ctx).signal ?? AbortSignal.abort(),
      procedureSignal,
    })
    arrived.resolve()
    arrived = Promise.withResolvers()
  }
  const router = agentRouter({
    work: scopedProcedure('work:do').mutation(async ({ ctx, signal }) => {
      note(ctx, signal)
      return (work ?? (async () => new Promise<string>(() => undefined)))(ctx)
    }),
    watch: scopedProcedure('work:do').subscription(async function* watch({ ctx, signal }) {
      note(ctx, signal)
      yield 'begun'
      await new Promise(() => undefined)
    }),
  })
  const agent = await serveAgent({
    agentId: 'agent-test-v1',
    router,
    authenticator: createAuthenticator({
      accessTokens: {
        verify: async () => refuse({ reason: 'token_malformed', detail: 'keys only' }),
        checkTime: accept,
      },
      apiKeys: { verify: async () => accept(CALLER) },
    }),
    issuer: 'https://issuer.example',
    port: 0,
    clock,
    limits: { drainTimeoutMs: 50, ...limits },
    logger: createLogger({ name: 'test', level: 'silent' }),
  })
  return {
    ...agent,
    router,
    seen,
    /** Waits until so many calls have begun. */
    async until(count: number): Promise<Seen> {
      while (seen.length < count) await arrived.promise
      const last = seen[count - 1]
      if (last === undefined) throw new Error('nothing was seen')
      return last
    },
  }
}
type TestAgent = Awaited<ReturnType<typeof startAgent>>

const clientOf = (agent: TestAgent, clock: Clock, options: object = {}) =>
  createAgentClient<TestAgent['router']>({
    url: agent.url,
    audience: 'agent-test-v1',
    credentials: apiKey(KEY),
    clock,
    retry: false,
    ...options,
  })

/** Resolves once the signal is aborted. */
const aborted = async (signal: AbortSignal): Promise<void> => {
  if (signal.aborted) return
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
}

/** How a call ends whose caller says that it waits for so long. */
type Way = {
  readonly name: string
  readonly ask: (agent: TestAgent, timeout: string) => Promise<string>
}

type Init = { readonly method?: string; readonly headers?: Record<string, string> }

const overHttp =
  (path: string, init: Init): Way['ask'] =>
  async (agent, timeout) => {
    const headers = { ...HEADERS, 'deputy-timeout-ms': timeout, ...init.headers }
    return (await fetch(agent.url + path, { ...init, headers })).text()
  }

const json = { 'content-type': 'application/json' }

const overSocket =
  (first: (timeout: string) => object, message: (timeout: string) => object): Way['ask'] =>
  async (agent, timeout) => {
    const url = `${agent.url.replace(/^http/, 'ws')}/trpc?connectionParams=1`
    await using connection = await openWebSocket(url)
    connection.send({ method: 'connectionParams', data: { ...HEADERS, ...first(timeout) } })
    connection.send({ id: 1, method: 'mutation', params: { path: 'work', ...message(timeout) } })
    return JSON.stringify(await connection.message(0))
  }

const toNumber = (text: string): unknown => (/^\d+$/.test(text) ? Number(text) : text)

const WAYS: readonly Way[] = [
  { name: 'one call', ask: overHttp('/trpc/work', { method: 'POST', headers: json }) },
  { name: 'a batch', ask: overHttp('/trpc/work?batch=1', { method: 'POST', headers: json }) },
  {
    name: 'a batch whose answers come one by one',
    ask: overHttp('/trpc/work?batch=1', {
      method: 'POST',
      headers: { ...json, 'trpc-accept': 'application/jsonl' },
    }),
  },
  {
    name: 'a subscription by SSE',
    ask: overHttp('/trpc/watch', { headers: { accept: 'text/event-stream' } }),
  },
  {
    name: 'a subscription over WebSocket',
    async ask(agent, timeout) {
      const url = `${agent.url.replace(/^http/, 'ws')}/trpc?connectionParams=1`
      await using connection = await openWebSocket(url)
      connection.send({ method: 'connectionParams', data: HEADERS })
      const params = { path: 'watch', timeoutMs: toNumber(timeout) }
      connection.send({ id: 1, method: 'subscription', params })
      for (let at = 0; ; at += 1) {
        const message = JSON.stringify(await connection.message(at))
        if (message.includes('error')) return message
      }
    },
  },
  {
    name: 'a message over WebSocket',
    ask: overSocket(
      () => ({}),
      (timeout) => ({ timeoutMs: toNumber(timeout) }),
    ),
  },
  {
    name: 'every message of a WebSocket',
    ask: overSocket(
      (timeout) => ({ 'deputy-timeout-ms': timeout }),
      () => ({}),
    ),
  },
]

describe.each(WAYS)('the deadline of $name', ({ ask }) => {
  test('ends it with a reason of its own, and what it began with it', async () => {
    const clock = createMillisecondClock()
    await using agent = await startAgent({ clock })
    const asked = ask(agent, '1000')
    const { remainingMs, signal } = await agent.until(1)

    clock.advanceMs(1010)

    const answer = await asked
    expect(answer).toContain('"reason":"deadline_exceeded"')
    expect(answer).toContain('"httpStatus":408')
    expect([remainingMs, signal.aborted]).toEqual([1000, true])
  })

  test('that has passed already costs no work', async () => {
    const clock = createMillisecondClock()
    await using agent = await startAgent({ clock })

    const answer = await ask(agent, '0')

    expect(answer).toContain('"reason":"deadline_exceeded"')
    expect(agent.seen).toEqual([])
  })

  test.each(['soon', '-1', '1.5', '99999999999'])(
    'is refused where it is none: %s',
    async (text) => {
      const clock = createMillisecondClock()
      await using agent = await startAgent({ clock })

      const answer = await ask(agent, text)

      expect(answer).toContain('"reason":"deadline_invalid"')
      expect(answer).toContain('"httpStatus":400')
      expect(agent.seen).toEqual([])
    },
  )
})

describe('an agent', () => {
  test.each([
    ['the default for who says nothing', {}, 400],
    ['no more than the most that it allows', { 'deputy-timeout-ms': '5000' }, 700],
    ['what its caller says', { 'deputy-timeout-ms': '250' }, 250],
  ])('gives %s', async (_what, headers, expected) => {
    const clock = createMillisecondClock()
    const limits = { defaultTimeoutMs: 400, maxTimeoutMs: 700 }
    await using agent = await startAgent({ clock, limits })
    const options = { method: 'POST', headers: { ...HEADERS, ...headers } }
    const call = callTrpc(agent.url, 'work', options)
    const { remainingMs } = await agent.until(1)

    clock.advanceMs(700)

    expect([remainingMs, (await call).status]).toEqual([expected, 408])
  })

  test('ends no stream whose caller named no deadline', async () => {
    const clock = createMillisecondClock()
    await using agent = await startAgent({ clock })
    const hangUp = new AbortController()
    const accept = { ...HEADERS, accept: 'text/event-stream' }
    const stream = await fetch(`${agent.url}/trpc/watch`, {
      headers: accept,
      signal: hangUp.signal,
    })
    const { signal } = await agent.until(1)

    clock.advanceMs(10_000_000)
    const before = signal.aborted
    hangUp.abort()
    await aborted(signal)

    expect([stream.status, before]).toEqual([200, false])
  })

  test.each(WAYS.filter(({ name }) => name.includes('subscription')))(
    'lets $name live as long as its caller said, beyond the most that a call may take',
    async ({ ask }) => {
      const clock = createMillisecondClock()
      await using agent = await startAgent({ clock, limits: { maxTimeoutMs: 700 } })
      const asked = ask(agent, '5000')
      const { remainingMs, signal } = await agent.until(1)

      clock.advanceMs(4000)
      const before = signal.aborted
      clock.advanceMs(1010)

      expect(await asked).toContain('"reason":"deadline_exceeded"')
      expect([remainingMs, before, signal.aborted]).toEqual([5000, false, true])
    },
  )

  test('aborts the signal of tRPC as well', async () => {
    const clock = createMillisecondClock()
    await using agent = await startAgent({ clock })
    for (const [at, way] of WAYS.filter(({ name }) =>
      /^one call|message over/.test(name),
    ).entries()) {
      const asked = way.ask(agent, '1000')
      const { procedureSignal } = await agent.until(at + 1)

      clock.advanceMs(1010)
      await asked

      expect([way.name, procedureSignal?.aborted]).toEqual([way.name, true])
    }
  })
})

/** Three agents: the first calls the second, which calls the third, each after some time of its own. */
async function startChain(clock: TestClock, third: AgentOptions = { clock }) {
  await using stack = new AsyncDisposableStack()
  const c = stack.use(await startAgent(third))
  const toC = stack.use(clientOf(c, clock))
  const b = stack.use(
    await startAgent({
      clock,
      async work(ctx) {
        clock.advanceMs(200)
        // A client that lives longer than the call: the call says what it is made for.
        return toC.work.mutate(undefined, withinCall(ctx))
      },
    }),
  )
  const a = stack.use(
    await startAgent({
      clock,
      async work(ctx) {
        clock.advanceMs(300)
        await using toB = clientOf(b, clock, { within: ctx, timeoutMs: 900 })
        return await toB.work.mutate()
      },
    }),
  )
  const resources = stack.move()
  return { a, b, c, [Symbol.asyncDispose]: async () => resources.disposeAsync() }
}

describe('a chain of three agents', () => {
  test('has less time at each hop, and ends at all of them in the same moment', async () => {
    const clock = createMillisecondClock()
    await using chain = await startChain(clock)
    const headers = { ...HEADERS, 'deputy-timeout-ms': '1000' }
    const asked = callTrpc(chain.a.url, 'work', { method: 'POST', headers })
    await chain.c.until(1)

    const [a, b, c] = [chain.a, chain.b, chain.c].map(({ seen }) => seen[0])
    clock.advanceMs(500)
    const answer = await asked

    expect([a, b, c].map((one) => one?.remainingMs)).toEqual([1000, 700, 500])
    expect([a, b, c].map((one) => one?.signal.aborted)).toEqual([true, true, true])
    expect([answer.status, answer.error().data['reason']]).toEqual([408, 'deadline_exceeded'])
  })

  test('uses up no more than the client of a hop allows', async () => {
    const clock = createMillisecondClock()
    await using chain = await startChain(clock)
    const headers = { ...HEADERS, 'deputy-timeout-ms': '60000' }
    const asked = callTrpc(chain.a.url, 'work', { method: 'POST', headers })
    await chain.c.until(1)

    const remaining = [chain.a, chain.b, chain.c].map(({ seen }) => seen[0]?.remainingMs)
    clock.advanceMs(60_000)
    await asked

    expect(remaining).toEqual([60_000, 900, 700])
  })

  test('is cancelled at its end when its caller gives up', async () => {
    const clock = createMillisecondClock()
    await using chain = await startChain(clock)
    await using client = clientOf(chain.a, clock)
    const giveUp = new AbortController()
    const call = client.work.mutate(undefined, { signal: giveUp.signal }).catch(toClientError)
    const { signal } = await chain.c.until(1)

    giveUp.abort()
    await aborted(signal)

    expect(await call).toMatchObject({ code: 'call_aborted' })
  })

  test('is answered in time when it is done in time', async () => {
    const clock = createMillisecondClock()
    await using chain = await startChain(clock, { clock, work: async () => 'done' })
    await using client = clientOf(chain.a, clock, { timeoutMs: 1000 })

    expect(await client.work.mutate()).toBe('done')
  })

  test('that ran out of time on its way is told so, whoever notices first', async () => {
    const clock = createMillisecondClock()
    await using chain = await startChain(clock)
    const headers = { ...HEADERS, 'deputy-timeout-ms': '1003' }
    const asked = callTrpc(chain.a.url, 'work', { method: 'POST', headers })
    await chain.c.until(1)

    // The timers of agents are up to 10 ms late, those of clients are not.
    clock.advanceMs(503)
    const answer = await asked

    expect(answer.status).toBe(408)
    expect(answer.error().data).toMatchObject({ reason: 'deadline_exceeded', mayBeDone: true })
  })
})

describe('a client', () => {
  test.each(['http', 'websocket'] as const)(
    'fails at its deadline with the same code as the agent, over %s',
    async (transport) => {
      const clock = createMillisecondClock()
      await using agent = await startAgent({ clock })
      await using client = clientOf(agent, clock, { transport, timeoutMs: 1000 })
      const call = client.work.mutate().catch(toClientError)
      const { remainingMs, signal } = await agent.until(1)

      clock.advanceMs(1000)

      expect(await call).toMatchObject({ code: 'deadline_exceeded', mayBeDone: true })
      await aborted(signal)
      expect(remainingMs).toBe(1000)
    },
  )

  test('sends nothing for a call that nobody waits for any more', async () => {
    const clock = createMillisecondClock()
    await using agent = await startAgent({ clock })
    await using client = clientOf(agent, clock)

    const call = client.work.mutate(
      undefined,
      withinCall({ getDeadline: () => ({ remainingMs: () => 0 }) }),
    )

    expect(await call.catch(toClientError)).toMatchObject({
      code: 'deadline_exceeded',
      mayBeDone: false,
    })
    expect(agent.seen).toEqual([])
  })

  test.each(['http', 'websocket'] as const)(
    'says that a call was not sent which still waited for its token, over %s',
    async (transport) => {
      const clock = createMillisecondClock()
      await using agent = await startAgent({ clock })
      const asked = Promise.withResolvers<void>()
      const credentials = () => ({
        async authorize() {
          asked.resolve()
          return new Promise<never>(() => undefined)
        },
        renew: () => false,
      })
      await using client = clientOf(agent, clock, { transport, timeoutMs: 1000, credentials })
      const giveUp = new AbortController()
      const late = client.work.mutate().catch(toClientError)
      const given = client.work.mutate(undefined, { signal: giveUp.signal }).catch(toClientError)
      await asked.promise

      giveUp.abort()
      clock.advanceMs(1000)

      expect(await Promise.all([late, given])).toMatchObject([
        { code: 'deadline_exceeded', mayBeDone: false },
        { code: 'call_aborted', mayBeDone: false },
      ])
      expect(agent.seen).toEqual([])
    },
  )

  test('gives a batch the time of the call that waits longest, and each call its own', async () => {
    const clock = createMillisecondClock()
    await using agent = await startAgent({ clock })
    await using client = clientOf(agent, clock)
    const within = (ms: number) => withinCall({ getDeadline: () => ({ remainingMs: () => ms }) })
    const short = client.work.mutate(undefined, within(100)).catch(toClientError)
    const long = client.work.mutate(undefined, within(500)).catch(toClientError)
    await agent.until(2)

    clock.advanceMs(100)
    const first = await short
    clock.advanceMs(400)

    expect(agent.seen.map(({ remainingMs }) => remainingMs)).toEqual([500, 500])
    expect([first, await long]).toMatchObject([
      { code: 'deadline_exceeded' },
      { code: 'deadline_exceeded' },
    ])
  })
})
