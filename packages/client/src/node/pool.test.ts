import type { lookup } from 'node:dns'
import { createServer, type RequestListener } from 'node:http'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { startTestAgent, TEST_AGENT, type TestRouter } from '../../../../test/support/test-agent.ts'
import { Authorization } from '../authorization.ts'
import type { FetchLikeInit } from '../fetch-like.ts'
import { createAgentClient } from '../index.ts'
import { createPool } from './pool.ts'

const GET: FetchLikeInit = {
  method: 'GET',
  headers: {},
  body: null,
  signal: null,
  redirect: 'manual',
}

async function startServer(answer: RequestListener) {
  const sockets = new Set<unknown>()
  const server = createServer(answer).on('connection', (socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return {
    url: `http://127.0.0.1:${String(port)}`,
    port: String(port),
    connections: () => sockets.size,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Names that lead where the test says. */
const resolver =
  (...addresses: readonly string[]) =>
  (_name: string, _options: unknown, done: (error: null, found: object[]) => void) => {
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }

const asLookup = (resolve: ReturnType<typeof resolver>) => resolve as unknown as typeof lookup

describe('a pool', () => {
  test('sends what it is given, and reads the answer', async () => {
    const seen: unknown[] = []
    await using server = await startServer((req, res) => {
      req.setEncoding('utf8').on('data', (body) => seen.push([req.method, req.url, body]))
      req.on('end', () => {
        res.setHeader('dpop-nonce', 'n1')
        res.end('{"ok":true}')
      })
    })
    await using pool = createPool()

    const answer = await pool.fetch(`${server.url}/trpc/a?batch=1`, {
      ...GET,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"a":1}',
    })

    expect(await answer.json()).toEqual({ ok: true })
    expect([answer.ok, answer.status, answer.headers.get('dpop-nonce')]).toEqual([true, 200, 'n1'])
    expect(answer.headers.get('retry-after')).toBeNull()
    expect(seen).toEqual([['POST', '/trpc/a?batch=1', '{"a":1}']])
  })

  test('is a whole fetch for credentials and discovery, with what a Request says', async () => {
    await using server = await startServer((req, res) => {
      req.setEncoding('utf8').on('data', (body) => res.end(`${req.method ?? ''} ${body}`))
    })
    await using pool = createPool()
    const request = new Request(server.url, { method: 'POST', body: 'a=1' })

    const answers = [
      await pool.webFetch(request),
      await pool.webFetch(server.url, { method: 'PUT', body: new URLSearchParams({ b: '2' }) }),
    ]

    expect(await Promise.all(answers.map(async (answer) => answer.text()))).toEqual([
      'POST a=1',
      'PUT b=2',
    ])
  })

  test('keeps its connections, and no more than it may', async () => {
    await using server = await startServer((_req, res) => void setImmediate(() => res.end('{}')))
    await using pool = createPool({ maxConnections: 3 })
    const call = async () => (await pool.fetch(`${server.url}/`, GET)).json()

    for (let round = 0; round < 3; round += 1) await Promise.all(Array.from({ length: 20 }, call))

    expect(server.connections()).toBe(3)
  })

  test.each([301, 302, 307, 308])('follows no redirect (%i)', async (status) => {
    // Attack: an agent, or whoever took over its name, collects API keys on another host.
    const seen: unknown[] = []
    await using thief = await startServer((req, res) => {
      seen.push(req.headers)
      res.end('{}')
    })
    await using server = await startServer((_req, res) => {
      res.writeHead(status, { location: thief.url }).end()
    })
    await using pool = createPool()

    await expect(pool.fetch(`${server.url}/`, GET)).rejects.toMatchObject({
      name: 'TypeError',
      cause: { message: 'unexpected redirect' },
    })
    expect(seen).toEqual([])
  })

  test('says as fetch does that nobody is there', async () => {
    const server = await startServer(() => undefined)
    await server[Symbol.asyncDispose]()
    await using pool = createPool()

    await expect(pool.fetch(`${server.url}/`, GET)).rejects.toMatchObject({
      message: 'fetch failed',
      cause: { code: 'ECONNREFUSED' },
    })
  })

  test.each([true, false])(
    'reads no more of an answer than it may (its length said: %s)',
    async (isSaid) => {
      // Attack: an agent that answers without end fills its caller's memory.
      const long = `"${'x'.repeat(100_000)}"`
      await using server = await startServer((_req, res) => {
        if (isSaid) res.setHeader('content-length', long.length)
        res.write(long.slice(0, 50_000))
        res.end(long.slice(50_000))
      })
      const read = async (maxAnswerBytes: number) => {
        await using pool = createPool({ maxAnswerBytes })
        const answer = await pool.fetch(`${server.url}/`, GET)
        const value = await answer.json()
        return value
      }

      await expect(read(10_000)).rejects.toMatchObject({
        cause: { message: 'the answer is longer than 10000 bytes' },
      })
      expect(await read(100_002)).toHaveLength(100_000)
    },
  )

  test('carries a subscription', async () => {
    await using agent = await startTestAgent()
    const token = await agent.token()
    await using pool = createPool({ maxAnswerBytes: 10 })
    await using client = createAgentClient<TestRouter>({
      url: agent.url,
      audience: TEST_AGENT,
      credentials: () => ({
        authorize: async () => new Authorization({ authorization: `Bearer ${token}` }),
        renew: () => false,
      }),
      fetch: pool.fetch,
    })
    const seen: unknown[] = []
    const third = Promise.withResolvers<void>()
    agent.ticker.tickTo(3)

    const subscription = client.ticks.subscribe(undefined, {
      onData: ({ data }) => {
        if (seen.push(data) === 3) third.resolve()
      },
      onError: third.reject,
    })
    await third.promise
    subscription.unsubscribe()

    expect(seen).toEqual([1, 2, 3])
  })

  test('answers calls beside more subscriptions than it has connections, and closes them all', async () => {
    // Each has a connection for as long as it lasts: with none left, calls waited until their time was over.
    await using agent = await startTestAgent()
    const token = await agent.token()
    const pool = createPool({ maxConnections: 1 })
    await using client = createAgentClient<TestRouter>({
      url: agent.url,
      audience: TEST_AGENT,
      credentials: () => ({
        authorize: async () => new Authorization({ authorization: `Bearer ${token}` }),
        renew: () => false,
      }),
      fetch: pool.fetch,
    })
    agent.ticker.tickTo(1)
    const begun = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    for (const { reject, resolve } of begun) {
      client.ticks.subscribe(undefined, { onData: () => resolve(), onError: reject })
    }
    await Promise.all(begun.map(async ({ promise }) => promise))

    const answer = await client.echo.query({ text: 'answered' })
    await pool[Symbol.asyncDispose]()

    expect(answer).toBe('answered')
  })

  test('ends a request whose caller gave up', async () => {
    await using server = await startServer(() => undefined)
    await using pool = createPool()
    const gaveUp = new AbortController()
    const call = pool.fetch(`${server.url}/`, { ...GET, signal: gaveUp.signal })

    gaveUp.abort()

    await expect(call).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe('where private addresses are refused', () => {
  const refused = { code: 'host_not_allowed' }

  test.each([
    'http://127.0.0.1:1',
    'http://10.1.2.3',
    'http://169.254.169.254/latest/meta-data',
    'http://[::1]:1',
    'http://[::ffff:10.0.0.1]',
    'http://localhost:1',
    'http://0x7f.1',
    'http://2130706433',
    'http://metadata',
  ])('nothing is sent to %s', async (url) => {
    await using pool = createPool({ refusePrivateAddresses: true })

    await expect(pool.fetch(new URL(url).href, GET)).rejects.toMatchObject(refused)
    await expect(pool.webFetch(url)).rejects.toMatchObject(refused)
  })

  test.each([
    [['127.0.0.1']],
    [['93.184.215.14', '10.0.0.1']],
    [['fd00::1']],
    [['::ffff:192.168.0.1']],
  ])('a name that leads to %j is not connected to', async (addresses) => {
    // Attack: DNS rebinding. A public name of the attacker's leads into the caller's own network.
    await using server = await startServer((_req, res) => res.end('{}'))
    await using pool = createPool({
      refusePrivateAddresses: true,
      lookup: asLookup(resolver(...addresses)),
    })

    const url = `http://rebound.example:${server.port}/`

    await expect(pool.fetch(url, GET)).rejects.toMatchObject(refused)
    await expect(pool.webFetch(url)).rejects.toMatchObject(refused)
    expect(server.connections()).toBe(0)
  })
})
