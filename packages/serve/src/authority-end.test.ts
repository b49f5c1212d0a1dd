import { describe, expect, test } from 'vitest'
import { bearer } from '../../../test/support/call-trpc.ts'
import { openWebSocket } from '../../../test/support/raw-socket.ts'
import { startTestAgent, type TestAgent } from '../../../test/support/test-agent.ts'

const REVOKED = { error: { data: { reason: 'token_revoked', httpStatus: 401 } } }

async function connect(agent: TestAgent) {
  const url = `ws://127.0.0.1:${String(agent.port)}/trpc`
  return openWebSocket(url, bearer(await agent.token()))
}

describe('when what a caller stands on is revoked', () => {
  test('a stream over SSE ends with the reason, at once', async () => {
    await using agent = await startTestAgent()
    const response = await fetch(`${agent.url}/trpc/count`, {
      headers: { ...bearer(await agent.token()), accept: 'text/event-stream' },
    })
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while (!text.includes('data: 1')) text += (await reader?.read())?.value ?? ''

    agent.deny('token-1')

    for (;;) {
      const chunk = await reader?.read()
      if (chunk?.done !== false) break
      text += chunk.value
    }
    expect(text).toContain('serialized-error')
    expect(text).toContain('"reason":"token_revoked"')
  })

  test('a stream over a WebSocket ends with the reason, and the socket is closed', async () => {
    await using agent = await startTestAgent()
    await using connection = await connect(agent)
    connection.send({ id: 1, jsonrpc: '2.0', method: 'subscription', params: { path: 'count' } })
    await connection.message(1)

    agent.deny('token-1')

    expect(await connection.message(2)).toMatchObject({ id: 1, ...REVOKED })
    expect(await connection.closed).toBe(4401)
  })

  test('a socket on which nothing is under way is closed', async () => {
    await using agent = await startTestAgent()
    await using connection = await connect(agent)
    connection.send({ id: 1, jsonrpc: '2.0', method: 'query', params: { path: 'whoAmI' } })
    await connection.message(0)

    agent.deny('token-1')

    expect(await connection.closed).toBe(4401)
  })

  test('a call that takes long is answered with the reason', async () => {
    await using agent = await startTestAgent()
    const answer = fetch(`${agent.url}/trpc/hold`, {
      method: 'POST',
      headers: { ...bearer(await agent.token()), 'content-type': 'application/json' },
    })
    await agent.gate.entered

    agent.deny('token-1')

    expect((await answer).status).toBe(401)
    // Its work goes on: whoever repeats it has to know.
    const said = { ...REVOKED.error.data, mayBeDone: true }
    expect(await (await answer).json()).toMatchObject({ error: { data: said } })
  })

  test('the next call is refused, and calls on other authority go on', async () => {
    await using agent = await startTestAgent()
    const ask = async (jti: string) =>
      fetch(`${agent.url}/trpc/whoAmI`, { headers: bearer(await agent.token({ jti })) })

    agent.deny('token-1')

    const refused = await ask('token-1')
    expect(refused.status).toBe(401)
    expect(await refused.text()).not.toContain('mayBeDone')
    expect((await ask('token-2')).status).toBe(200)
  })
})

describe('a token that has ended and is still taken, since clocks may differ', () => {
  async function holdLate(agent: TestAgent) {
    const token = await agent.token()
    agent.clock.advance(902)
    const answer = fetch(`${agent.url}/trpc/hold`, {
      method: 'POST',
      headers: { ...bearer(token), 'content-type': 'application/json' },
    })
    await agent.gate.entered
    return answer
  }

  test('has what is begun with it done, and answered', async () => {
    await using agent = await startTestAgent({ clockToleranceSeconds: 5 })
    const answering = holdLate(agent)
    await agent.gate.entered

    agent.clock.advance(2)
    agent.gate.open()

    const answer = await answering
    expect([answer.status, await answer.json()]).toEqual([200, { result: { data: 'done' } }])
  })

  test('ends it once it is taken no more', async () => {
    await using agent = await startTestAgent({ clockToleranceSeconds: 5 })
    const answering = holdLate(agent)
    await agent.gate.entered

    agent.clock.advance(3)

    const said = { reason: 'token_expired', mayBeDone: true }
    expect(await (await answering).json()).toMatchObject({ error: { data: said } })
  })
})
