import { agentRouter, scopedProcedure } from '@deputy/auth/trpc'
import { describe, expect, test } from 'vitest'
import { bearer, callTrpc } from '../../../test/support/call-trpc.ts'
import { openWebSocket } from '../../../test/support/raw-socket.ts'
import { BUG_MESSAGE, startTestAgent, type TestAgent } from '../../../test/support/test-agent.ts'
import { createCallLog } from './call-log.ts'
import { createLogger } from './index.ts'

const calls = (agent: TestAgent) => agent.log().filter((line) => line['msg'] === 'call')

describe('the call log', () => {
  test('says who called what, on whose behalf, and how it ended', async () => {
    await using agent = await startTestAgent()
    const token = await agent.token({ act: { sub: 'agent-bob-v1' } })

    await callTrpc(agent.url, 'whoAmI', { headers: bearer(token) })

    expect(calls(agent)).toMatchObject([
      {
        path: 'whoAmI',
        type: 'query',
        agentId: 'agent-bob-v1',
        subject: 'agent-alice-v1',
        credentialId: 'token-1',
        outcome: 'ok',
        durationMs: expect.any(Number) as number,
      },
    ])
  })

  test('names the reason of each refusal as the caller saw it', async () => {
    await using agent = await startTestAgent()
    const headers = bearer(await agent.token())

    await callTrpc(agent.url, 'whoAmI')
    await callTrpc(agent.url, 'pay', { method: 'POST', headers })
    await callTrpc(agent.url, 'echo', { headers, input: { text: '' } })
    await callTrpc(agent.url, 'refuse', { headers })
    await callTrpc(agent.url, 'fail', { headers })

    expect(calls(agent).map(({ agentId, outcome }) => [agentId, outcome])).toEqual([
      [undefined, 'credentials_missing'],
      ['agent-alice-v1', 'scope_missing'],
      ['agent-alice-v1', 'input_invalid'],
      ['agent-alice-v1', 'account_closed'],
      ['agent-alice-v1', 'internal_error'],
    ])
  })

  test('keeps the stack of a bug, and of nothing else', async () => {
    await using agent = await startTestAgent()
    const headers = bearer(await agent.token())

    await callTrpc(agent.url, 'fail', { headers })
    await callTrpc(agent.url, 'refuse', { headers })

    const [bug, refusal] = calls(agent)
    expect(JSON.stringify(bug)).toContain(BUG_MESSAGE)
    expect(JSON.stringify(bug)).toContain('test-agent.ts')
    expect(JSON.stringify(refusal)).not.toContain('stack')
  })

  test('never writes a credential, whatever happens to it', async () => {
    // Attack: whoever reads the log calls the agent.
    await using agent = await startTestAgent()
    const tokens = [
      await agent.token(),
      await agent.token({ exp: 1 }),
      await agent.token({ aud: 'agent-x' }),
      'not.a.token',
    ]
    for (const token of tokens) {
      for (const path of ['whoAmI', 'fail', 'echo', 'nothing-here']) {
        await callTrpc(agent.url, path, { headers: bearer(token) })
      }
    }
    await callTrpc(agent.url, 'fail', { headers: { 'x-api-key': agent.apiKey.value } })
    const url = `ws://127.0.0.1:${String(agent.port)}/trpc?connectionParams=1`
    await using connection = await openWebSocket(url)
    connection.send({ method: 'connectionParams', data: bearer(tokens[0] ?? '') })
    connection.send({ id: 1, jsonrpc: '2.0', method: 'query', params: { path: 'fail' } })
    await connection.message(0)

    const log = agent.logText()

    expect(calls(agent)).toHaveLength(14)
    for (const secret of [...tokens, agent.apiKey.value]) expect(log).not.toContain(secret)
    // Not in parts either: a token is as good without its header as with it.
    for (const token of tokens.slice(0, 3)) {
      expect(log).not.toContain(token.split('.')[2])
    }
  })

  test('tells the calls of one batch by their paths and joins them by their id', async () => {
    await using agent = await startTestAgent()

    await callTrpc(agent.url, 'whoAmI,nothing,refuse?batch=1', {
      headers: bearer(await agent.token()),
    })

    const lines = calls(agent)
    expect(new Set(lines.map((line) => line['path']))).toEqual(new Set(['whoAmI', 'refuse']))
    expect(lines[0]?.['correlationId']).toBe(lines[1]?.['correlationId'])
  })
})

const brokenRouter = agentRouter({
  notJson: scopedProcedure('billing:read').query(() => ({ minor: 1n })),
  failsLater: scopedProcedure('billing:read').subscription(async function* failsLater() {
    yield 1
    throw new Error(BUG_MESSAGE)
  }),
})

/** What was logged of bugs beside the calls. */
const bugs = (agent: TestAgent) =>
  agent.log().filter(({ level, msg }) => msg !== 'call' && Number(level) >= 50)

describe('a bug that shows after the call was logged', () => {
  const failed = (path: string, bug: string) => ({
    path,
    correlationId: expect.any(String) as string,
    err: { stack: expect.stringContaining(bug) as string },
  })
  const expected = [failed('failsLater', BUG_MESSAGE), failed('notJson', 'BigInt')]

  test('is logged over HTTP, under the id that the caller was told', async () => {
    await using agent = await startTestAgent({ router: brokenRouter })
    const headers = bearer(await agent.token())

    const stream = await callTrpc(agent.url, 'failsLater', { headers })
    const refused = await callTrpc(agent.url, 'notJson', { headers })

    const [later, notJson] = bugs(agent)
    expect([later, { ...notJson, path: 'notJson' }]).toMatchObject(expected)
    expect(stream.text).toContain(String(later?.['correlationId']))
    expect(refused.error().data['correlationId']).toBe(notJson?.['correlationId'])
  })

  test('and over WebSocket', async () => {
    await using agent = await startTestAgent({ router: brokenRouter })
    const url = `ws://127.0.0.1:${String(agent.port)}/trpc`
    await using connection = await openWebSocket(url, bearer(await agent.token()))

    connection.send({ id: 1, method: 'subscription', params: { path: 'failsLater' } })
    await connection.message(2)
    connection.send({ id: 2, method: 'query', params: { path: 'notJson' } })
    await connection.message(3)

    expect(bugs(agent)).toMatchObject(expected)
  })

  test('nothing else is: no bug twice, no refusal, no caller that leaves its stream', async () => {
    await using agent = await startTestAgent()
    const headers = bearer(await agent.token())
    const stream = await fetch(`${agent.url}/trpc/count`, { headers })
    const reader = stream.body?.getReader()
    await reader?.read()
    await reader?.cancel()

    await callTrpc(agent.url, 'fail', { headers })
    await callTrpc(agent.url, 'fail,refuse,nowhere?batch=1', { headers })
    await agent.close()

    expect(bugs(agent)).toEqual([])
    expect(calls(agent).filter(({ outcome }) => outcome === 'internal_error')).toHaveLength(2)
  })
})

test('the log is idle when the last of several calls has ended', async () => {
  const { observeCall, whenIdle } = createCallLog(createLogger({ name: 'x', level: 'silent' }))
  const ends = ['a', 'b'].map((path) =>
    observeCall({ path, type: 'query', correlationId: 'call-1', traceId: 'a'.repeat(32) }),
  )
  let isIdle = false
  const wait = async (): Promise<void> => {
    await whenIdle()
    isIdle = true
  }
  const idle = wait()
  const seen: boolean[] = []

  for (const end of ends) {
    await end({ principal: undefined, error: undefined })
    await new Promise((done) => setImmediate(done))
    seen.push(isIdle)
  }

  await idle
  await whenIdle()
  expect(seen).toEqual([false, true])
})
