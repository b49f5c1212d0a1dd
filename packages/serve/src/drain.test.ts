// What a caller sees of an agent that goes away.
import { describe, expect, test } from 'vitest'
import { bearer, callTrpc } from '../../../test/support/call-trpc.ts'
import { openWebSocket } from '../../../test/support/raw-socket.ts'
import { startTestAgent } from '../../../test/support/test-agent.ts'

describe('closing', () => {
  test('answers the call that is under way, and takes no new one', async () => {
    await using agent = await startTestAgent()
    const headers = bearer(await agent.token())
    const held = callTrpc(agent.url, 'hold', { method: 'POST', headers })
    await agent.gate.entered

    const closing = agent.close()
    const refused = fetch(`${agent.url}/livez`)

    await expect(refused).rejects.toThrow('fetch failed')
    agent.gate.open()
    expect((await held).data()).toBe('done')
    await closing
  })

  test('answers the call that is under way on a WebSocket, and then ends it with 1001', async () => {
    await using agent = await startTestAgent()
    const url = `ws://127.0.0.1:${String(agent.port)}/trpc`
    await using connection = await openWebSocket(url, bearer(await agent.token()))
    connection.send({ id: 1, jsonrpc: '2.0', method: 'mutation', params: { path: 'hold' } })
    await agent.gate.entered

    const closing = agent.close()
    const notice = await connection.message(0)
    agent.gate.open()
    const answer = await connection.message(1)

    expect(notice).toMatchObject({ method: 'reconnect' })
    expect(answer).toMatchObject({ id: 1, result: { data: 'done' } })
    // RFC 6455 §7.4.1: going away.
    expect(await connection.closed).toBe(1001)
    await closing
  })

  test('ends an idle WebSocket at once', async () => {
    await using agent = await startTestAgent()
    await using connection = await openWebSocket(`ws://127.0.0.1:${String(agent.port)}/trpc`)

    await agent.close()

    expect(await connection.closed).toBe(1001)
  })

  test('does not wait for ever for a call that does not end', async () => {
    await using agent = await startTestAgent({ limits: { drainTimeoutMs: 1 } })
    const headers = bearer(await agent.token())
    const held = callTrpc(agent.url, 'hold', { method: 'POST', headers }).catch(
      (error: unknown) => error,
    )
    await agent.gate.entered

    await agent.close()

    expect(await held).toBeInstanceOf(TypeError)
  })

  test('does not wait for a connection that is kept but idle', async () => {
    await using agent = await startTestAgent()
    const kept = await fetch(`${agent.url}/livez`)
    await kept.text()

    await agent.close()

    await expect(fetch(`${agent.url}/livez`)).rejects.toThrow('fetch failed')
  })

  test('twice is closing once', async () => {
    await using agent = await startTestAgent()

    await Promise.all([agent.close(), agent.close()])
    await agent.close()

    expect(agent.log().filter((line) => line['msg'] === 'closed')).toHaveLength(1)
  })

  test('frees the port for the next one', async () => {
    const before = await startTestAgent()
    await before.close()

    await using after = await startTestAgent({ port: before.port })

    expect(after.port).toBe(before.port)
  })
})
