// Connections that are slow, silent, half open, or very many.
import { agentRouter, scopedProcedure } from '@deputy/auth/trpc'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { bearer, callTrpc } from '../support/call-trpc.ts'
import { startTestAgent } from '../support/test-agent.ts'
import { countSockets, expectHarmless, until } from './attack.ts'
import { openRaw, readBody, toRequest, type RawConnection } from './raw-http.ts'

const JSON_BODY = { 'content-type': 'application/json' }

async function openMany(count: number, port: number, bytes: string) {
  const opened = await Promise.all(Array.from({ length: count }, async () => openRaw(port, bytes)))
  return {
    opened,
    closed: async () => Promise.all(opened.map(async ({ closed }) => closed)),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(opened.map(async (one) => one[Symbol.asyncDispose]()))
    },
  }
}

/** Goes on sending a piece each time that it is this one's turn, until the other side has closed. */
async function dribble({ closed, socket }: RawConnection, piece: string): Promise<string> {
  const timer = setInterval(() => {
    if (socket.writable) socket.write(piece)
  }, 20)
  return closed.finally(() => {
    clearInterval(timer)
  })
}

function expectTimeout(answer: string): void {
  expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
  expect(readBody(answer)).toMatchObject({
    error: { data: { httpStatus: 408, code: 'TIMEOUT', reason: 'request_timeout' } },
  })
}

test('header fields that come one by one for ever get 408, all of them', async () => {
  // Attack: slow loris. Each of the connections costs its peer nothing, and the agent a socket.
  await expectHarmless({ headersTimeoutMs: 400 }, async ({ port }) => {
    await using attack = await openMany(20, port, 'GET /trpc/whoAmI HTTP/1.1\r\nhost: x\r\n')

    const answers = await Promise.all(attack.opened.map(async (one) => dribble(one, 'x: 1\r\n')))

    for (const answer of answers) expectTimeout(answer)
  })
})

test('a body that comes byte by byte gets 408, and its call ends', async () => {
  await expectHarmless(
    { requestTimeoutMs: 800, headersTimeoutMs: 400 },
    async ({ port, token }) => {
      const headers = { ...bearer(await token()), ...JSON_BODY, 'content-length': '100000' }
      const request = toRequest('/trpc/echo', headers, { method: 'POST', body: '{"text":"' })
      await using attack = await openMany(20, port, request)

      const answers = await Promise.all(attack.opened.map(async (one) => dribble(one, 'x')))

      for (const answer of answers) expectTimeout(answer)
    },
  )
})

test('connections on which nothing is ever said get 408', async () => {
  await expectHarmless({ headersTimeoutMs: 400 }, async ({ port }) => {
    await using attack = await openMany(20, port, '')

    for (const answer of await attack.closed()) expectTimeout(answer)
  })
})

test('a connection on which nothing is said any more is closed', async () => {
  await expectHarmless({ keepAliveTimeoutMs: 1 }, async ({ port }) => {
    await using attack = await openMany(5, port, toRequest('/livez'))

    for (const answer of await attack.closed()) expect(answer).toMatch(/^HTTP\/1\.1 200 /)
  })
})

test('a peer that ends its half is answered, and one that keeps its half open is cut all the same', async () => {
  await expectHarmless({}, async ({ port }) => {
    await using ended = await openRaw(port, toRequest('/livez'))
    ended.socket.end()
    await using kept = await openRaw(port, toRequest('/livez', { connection: 'close' }))

    expect(await ended.closed).toContain('{"status":"live"}')
    expect(await kept.closed).toContain('{"status":"live"}')
    // Both sides of the one that was ended, and the agent's side of the other.
    ended.socket.destroy()
    await until(() => countSockets() <= 1)
  })
})

test('requests in one piece are answered in their order', async () => {
  await expectHarmless({}, async ({ port }) => {
    const last = toRequest('/livez', { connection: 'close' })
    await using mallory = await openRaw(port, toRequest('/trpc/whoAmI').repeat(99) + last)

    const answers = await mallory.closed

    expect(answers.match(/HTTP\/1\.1 401 /g)).toHaveLength(99)
    expect(answers.endsWith('{"status":"live"}')).toBe(true)
  })
})

test('of thousands of requests in one piece, few are begun before the first is answered', async () => {
  // Attack: one connection, and on it as many requests as fit, each of which waits for something.
  await expectHarmless({}, async ({ port, token }) => {
    const headers = { ...bearer(await token()), ...JSON_BODY, 'content-length': '0' }
    const hold = toRequest('/trpc/slow', headers, { method: 'POST' })
    await using mallory = await openRaw(port, hold.repeat(2000))
    mallory.write(toRequest('/livez', { connection: 'close' }))
    const answers = await mallory.closed

    expect(answers.match(/HTTP\/1\.1 200 /g)?.length).toBeGreaterThan(100)
    expect(answers.match(/HTTP\/1\.1 429 /g)?.length).toBeGreaterThan(1000)
    expect(answers.match(/HTTP\/1\.1 /g)).toHaveLength(2001)
    expect(answers).toContain('"reason":"too_many_requests"')
  })
})

test('a flood of requests whose answers nobody reads stops being read itself', async () => {
  await expectHarmless({ slowReaderTimeoutMs: 100 }, async ({ port }) => {
    await using mallory = await openRaw(port)
    mallory.socket.pause()
    const flood = toRequest('/trpc/whoAmI').repeat(1000)
    for (let at = 0; at < 50; at += 1) mallory.write(flood)

    // The agent's side is cut.
    await until(() => countSockets() <= 1)
    mallory.socket.resume()
    const answers = await mallory.closed

    expect((answers.match(/HTTP\/1\.1 401 /g) ?? []).length).toBeLessThan(50_000)
  })
})

test('large answers that nobody reads are not kept', async () => {
  await expectHarmless({ slowReaderTimeoutMs: 100 }, async ({ port, token }) => {
    const body = JSON.stringify({ text: 'x'.repeat(500_000) })
    const headers = {
      ...bearer(await token()),
      ...JSON_BODY,
      'content-length': String(body.length),
    }
    const request = toRequest('/trpc/echo', headers, { method: 'POST', body })
    await using mallory = await openRaw(port)
    mallory.socket.pause()
    for (let at = 0; at < 30; at += 1) mallory.write(request)

    await until(() => countSockets() <= 1)
    mallory.socket.resume()

    expect((await mallory.closed).length).toBeLessThan(30 * 500_000)
  })
})

test('a stream that nobody reads is not produced, and ends with its connection', async () => {
  // Attack: a subscription that is always ready, over SSE, by who never reads: all that it has to say, in memory.
  await expectHarmless({ slowReaderTimeoutMs: 100 }, async ({ port, ticker, token }) => {
    const before = ticker.produced
    const headers = { ...bearer(await token()), accept: 'text/event-stream' }
    await using mallory = await openRaw(port)
    mallory.socket.pause()
    mallory.write(toRequest('/trpc/flood', headers))

    await until(() => ticker.produced > before)
    await until(() => countSockets() <= 1)

    // What the buffers of two sockets hold, in pieces of 16 KiB.
    expect(ticker.produced - before).toBeLessThan(1000)
    const produced = ticker.produced
    for (let turn = 0; turn < 50; turn += 1) await nextTurn()
    expect(ticker.produced).toBe(produced)
  })
})

test('parts of an answer that nobody reads are not made, and the call ends with its connection', async () => {
  // Attack: the same, of an answer in parts (JSONL).
  let made = 0
  let isEnded = false
  const router = agentRouter({
    parts: scopedProcedure('billing:read').query(async function* parts() {
      try {
        for (;;) {
          made += 1
          yield 'x'.repeat(16 * 1024)
        }
      } finally {
        isEnded = true
      }
    }),
  })
  await using agent = await startTestAgent({ router, limits: { slowReaderTimeoutMs: 100 } })
  const headers = { ...bearer(await agent.token()), 'trpc-accept': 'application/jsonl' }
  await using mallory = await openRaw(agent.port)
  mallory.socket.pause()
  mallory.write(toRequest('/trpc/parts?batch=1', headers))

  await until(() => isEnded)

  expect(made).toBeLessThan(1000)
})

test('connections beyond the limit get 503, and far beyond it none', async () => {
  await expectHarmless({ maxConnections: 10 }, async ({ port, url }) => {
    await using attack = await openMany(10, port, '')
    await using excess = await openRaw(port, toRequest('/trpc/whoAmI'))
    await using beyond = await openRaw(port, toRequest('/trpc/whoAmI'))

    expect(await beyond.closed).toBe('')
    const answer = await excess.closed
    expect(answer).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/)
    expect(answer).toContain('retry-after: 1\r\n')
    expect(readBody(answer)).toMatchObject({ error: { data: { reason: 'too_many_connections' } } })

    // One that was there before is answered, and room that is made is taken.
    const [first] = attack.opened
    first?.write(toRequest('/livez', { connection: 'close' }))
    expect(await first?.closed).toContain('{"status":"live"}')
    await first?.[Symbol.asyncDispose]()
    await excess[Symbol.asyncDispose]()
    expect((await callTrpc(url, 'whoAmI', { headers: { connection: 'close' } })).status).toBe(401)
  })
})

test('a connection that has had its requests is told to close, and closed when it is idle', async () => {
  const limits = { maxRequestsPerConnection: 3, keepAliveTimeoutMs: 1 }
  await expectHarmless(limits, async ({ port }) => {
    await using mallory = await openRaw(port, toRequest('/livez').repeat(10))

    const answers = await mallory.closed

    expect(answers.match(/HTTP\/1\.1 200 /g)).toHaveLength(3)
    expect(answers.match(/HTTP\/1\.1 503 /g)).toHaveLength(7)
    expect(answers.match(/connection: close/gi)).toHaveLength(8)
  })
})
