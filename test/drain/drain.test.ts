// What callers see of an agent that is closing, on every transport.
import { createTRPCClient, httpBatchStreamLink } from '@trpc/client'
import { describe, expect, test } from 'vitest'
import { countSockets, until } from '../abuse/attack.ts'
import { openRaw, toRequest } from '../abuse/raw-http.ts'
import { bearer } from '../support/call-trpc.ts'
import { openWebSocket } from '../support/raw-socket.ts'
import { startTestAgent, type TestRouter } from '../support/test-agent.ts'

describe('an agent that is closing', () => {
  test('says with its last answers that their connections close', async () => {
    await using agent = await startTestAgent({ limits: { drainTimeoutMs: 60_000 } })
    const headers = { ...bearer(await agent.token()), 'content-length': '0' }
    const json = { 'content-type': 'application/json' }
    await using raw = await openRaw(
      agent.port,
      toRequest('/trpc/hold', { ...headers, ...json }, { method: 'POST' }),
    )
    await agent.gate.entered
    const closing = agent.close()
    // On a connection that is there already, a call is still taken; behind it the connection ends.
    raw.write(toRequest('/livez'))

    agent.gate.open()
    const answers = await raw.closed
    raw.socket.destroy()
    await closing

    expect(answers).toContain('"data":"done"')
    expect(answers).toMatch(/connection: close/i)
  })

  test('does not wait for a connection on which nothing was said yet', async () => {
    await using agent = await startTestAgent({ limits: { drainTimeoutMs: 60_000 } })
    await using silent = await openRaw(agent.port)
    await until(() => countSockets() === 2)

    await agent.close()

    expect(await silent.closed).toBe('')
  })

  test('lets an answer in parts come to its end', async () => {
    await using agent = await startTestAgent({ limits: { drainTimeoutMs: 60_000 } })
    const client = createTRPCClient<TestRouter>({
      links: [
        httpBatchStreamLink({ url: `${agent.url}/trpc`, headers: bearer(await agent.token()) }),
      ],
    })
    const { later } = await client.parts.query()

    const closing = agent.close()
    agent.gate.open()

    expect(await later).toBe('there')
    await closing
  })

  test('cuts off a call on a WebSocket that does not end, with 1001, and cancels it', async () => {
    await using agent = await startTestAgent({ limits: { drainTimeoutMs: 1 } })
    const url = `ws://127.0.0.1:${String(agent.port)}/trpc`
    await using connection = await openWebSocket(url, bearer(await agent.token()))
    connection.send({ id: 1, method: 'mutation', params: { path: 'pending' } })
    await agent.gate.entered

    await agent.close()

    expect(await connection.closed).toBe(1001)
    await until(() => agent.ticker.signals[0]?.aborted === true)
  })

  test('refuses a WebSocket with 503 while it waits', async () => {
    await using agent = await startTestAgent()
    const headers = bearer(await agent.token())
    const json = { 'content-type': 'application/json', 'content-length': '0' }
    const call = toRequest('/trpc/hold', { ...headers, ...json }, { method: 'POST' })
    await using held = await openRaw(agent.port, call)
    // A connection that is open already, since no new one is taken.
    const begin = 'GET /trpc HTTP/1.1\r\nhost: x\r\n'
    await using kept = await openRaw(agent.port, toRequest('/readyz') + begin)
    await Promise.all([agent.gate.entered, kept.until('"ready"')])
    const closing = agent.close()

    kept.write(
      'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    )

    expect(await kept.closed).toContain('HTTP/1.1 503 Service Unavailable')
    kept.socket.destroy()
    agent.gate.open()
    await held.closed
    held.socket.destroy()
    await closing
  })

  test('ends subscriptions so that they go on elsewhere, over SSE and WebSocket', async () => {
    await using agent = await startTestAgent()
    agent.ticker.tickTo(2)
    const headers = bearer(await agent.token())
    const stream = await fetch(`${agent.url}/trpc/ticks`, {
      headers: { ...headers, accept: 'text/event-stream' },
    })
    const text = stream.text()
    await using socket = await openWebSocket(`ws://127.0.0.1:${String(agent.port)}/trpc`, headers)
    socket.send({ id: 1, method: 'subscription', params: { path: 'ticks' } })
    await socket.message(2)

    await agent.close()
    const [seen, code] = [await text, await socket.closed]
    await using next = await startTestAgent()
    next.ticker.tickTo(3)
    const again = bearer(await next.token())
    await using socketAgain = await openWebSocket(`ws://127.0.0.1:${String(next.port)}/trpc`, again)
    socketAgain.send({ id: 1, method: 'subscription', params: { path: 'ticks', lastEventId: '2' } })
    await socketAgain.message(1)
    const streamAgain = await fetch(`${next.url}/trpc/ticks`, {
      headers: { ...again, accept: 'text/event-stream', 'last-event-id': '2' },
    })
    const textAgain = streamAgain.text()
    await next.close()

    expect(seen).toContain('"reason":"agent_draining"')
    expect(seen.match(/^id: \d+$/gm)).toEqual(['id: 1', 'id: 2'])
    expect((await textAgain).match(/^id: \d+$/gm)).toEqual(['id: 3'])
    expect(code).toBe(1001)
    expect(socket.messages.at(-1)).toMatchObject({ method: 'reconnect' })
    expect(socketAgain.messages.slice(0, 2)).toMatchObject([
      { result: { type: 'started' } },
      { result: { type: 'data', id: '3' } },
    ])
  })
})
