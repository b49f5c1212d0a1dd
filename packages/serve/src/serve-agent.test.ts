import { initTRPC } from '@trpc/server'
import { describe, expect, test } from 'vitest'
import { bearer, callTrpc } from '../../../test/support/call-trpc.ts'
import { BUG_MESSAGE, startTestAgent } from '../../../test/support/test-agent.ts'
import { createLogger, serveAgent } from './index.ts'

const METADATA_PATH = '/.well-known/oauth-protected-resource'

describe('a call over HTTP', () => {
  test('is answered for a token that holds the scope', async () => {
    await using agent = await startTestAgent()

    const answer = await callTrpc(agent.url, 'echo', {
      input: { text: 'hello' },
      headers: bearer(await agent.token()),
    })

    expect([answer.status, answer.data()]).toEqual([200, 'hello'])
    expect(answer.header('cache-control')).toBe('no-store')
    expect(answer.header('www-authenticate')).toBeNull()
  })

  test('is answered for an API key until the key is turned off', async () => {
    await using agent = await startTestAgent()
    const headers = { 'x-api-key': agent.apiKey.value }

    const before = await callTrpc(agent.url, 'whoAmI', { headers })
    agent.apiKey.isActive = false
    const after = await callTrpc(agent.url, 'whoAmI', { headers })

    expect(before.data()).toMatchObject({ agentId: 'agent-carol-v1' })
    expect([after.status, after.error().data['reason']]).toEqual([401, 'api_key_invalid'])
  })

  test('carries a correlation id of its own, the same in header, error and log', async () => {
    await using agent = await startTestAgent()

    const first = await callTrpc(agent.url, 'whoAmI')
    const second = await callTrpc(agent.url, 'whoAmI')

    const id = first.header('x-correlation-id')
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    expect(first.error().data['correlationId']).toBe(id)
    expect(agent.log().filter((line) => line['correlationId'] === id)).toHaveLength(1)
    expect(second.header('x-correlation-id')).not.toBe(id)
  })

  test.each([
    ['nothing', {}, ''],
    ['a token that is none', bearer('x.y.z'), 'error="invalid_token"'],
    ['another scheme', { authorization: 'Basic YTpi' }, ''],
  ])('with %s is challenged (RFC 6750 §3)', async (_what, headers, error) => {
    await using agent = await startTestAgent()

    const answer = await callTrpc(agent.url, 'whoAmI', { headers })

    const challenge = answer.header('www-authenticate') ?? ''
    expect(answer.status).toBe(401)
    expect(challenge.startsWith(`Bearer ${error}`)).toBe(true)
    expect(challenge.endsWith(`resource_metadata="${agent.url}${METADATA_PATH}"`)).toBe(true)
  })

  test('without the scope is told which one it needs', async () => {
    await using agent = await startTestAgent({ publicUrl: 'https://billing.example' })

    const answer = await callTrpc(agent.url, 'pay', {
      method: 'POST',
      input: { amountMinor: 1 },
      headers: bearer(await agent.token()),
    })

    expect(answer.status).toBe(403)
    expect(answer.header('www-authenticate')).toBe(
      `Bearer error="insufficient_scope", error_description="Missing required scope: billing:write", scope="billing:write", resource_metadata="https://billing.example${METADATA_PATH}"`,
    )
  })

  test('is told to come back when the issuer cannot be asked', async () => {
    await using agent = await startTestAgent()
    agent.issuer.isDown = true

    const answer = await callTrpc(agent.url, 'whoAmI', { headers: bearer(await agent.token()) })

    expect([answer.status, answer.header('retry-after')]).toEqual([503, '1'])
    expect(answer.header('www-authenticate')).toBeNull()
  })

  test('never reads a credential from the URL', async () => {
    // Attack: tokens in URLs end up in logs and referrers (RFC 6750 §2.3).
    await using agent = await startTestAgent()
    const token = await agent.token()

    const response = await fetch(`${agent.url}/trpc/whoAmI?access_token=${token}`)

    expect(response.status).toBe(401)
    expect(await response.text()).toContain('credentials_missing')
    expect(agent.logText()).not.toContain(token)
  })

  test.each([
    ['a query', 'application/json'],
    ['a stream', 'text/event-stream'],
  ])('never reads connection parameters from the URL: %s', async (_what, accept) => {
    // Attack: the same, by the way that tRPC has for browsers whose streams cannot send header fields.
    await using agent = await startTestAgent()
    const parameters = encodeURIComponent(JSON.stringify(bearer(await agent.token())))
    const path = accept === 'application/json' ? 'whoAmI' : 'ticks'

    const response = await fetch(`${agent.url}/trpc/${path}?connectionParams=${parameters}`, {
      headers: { accept },
    })

    expect(await response.text()).toContain('credentials_missing')
  })

  test('is told of a bug by its correlation id and nothing else', async () => {
    await using agent = await startTestAgent()

    const answer = await callTrpc(agent.url, 'fail', { headers: bearer(await agent.token()) })

    expect([answer.status, answer.error().message]).toEqual([
      500,
      'The agent failed to answer this call',
    ])
    expect(answer.text).not.toMatch(/hunter2|stack|node_modules|\.ts:/)
    expect(agent.logText()).toContain(BUG_MESSAGE)
  })

  test.each([
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'whoAmI.constructor',
    '%00',
  ])('to a procedure named %s finds none', async (path) => {
    // Attack: names that every object has, taken for procedures.
    await using agent = await startTestAgent()

    const answer = await callTrpc(agent.url, path, { headers: bearer(await agent.token()) })

    expect([answer.status, answer.error().data['reason']]).toEqual([404, 'not_found'])
    expect(answer.text).not.toContain('stack')
  })

  test.each([
    ['a mutation by GET', 'pay', 'GET'],
    ['with PUT', 'whoAmI', 'PUT'],
    ['with DELETE', 'pay', 'DELETE'],
  ])('%s is refused', async (_what, path, method) => {
    await using agent = await startTestAgent()
    const headers = bearer(await agent.token({ scope: 'billing:read billing:write' }))

    const answer = await callTrpc(agent.url, path, { method, headers, input: { amountMinor: 1 } })

    expect([answer.status, answer.error().data['reason']]).toEqual([405, 'method_not_supported'])
  })
})

describe('limits', () => {
  test('a body over the limit gets 413, and one at the limit does not', async () => {
    await using agent = await startTestAgent({ limits: { maxBodyBytes: 200 } })
    const headers = bearer(await agent.token({ scope: 'billing:write' }))
    const pay = async (bytes: number) => {
      const padding = 'x'.repeat(bytes - JSON.stringify({ amountMinor: 1, padding: '' }).length)
      const input = { amountMinor: 1, padding }
      return callTrpc(agent.url, 'pay', { method: 'POST', headers, input })
    }

    const [within, beyond] = [await pay(200), await pay(201)]

    expect([within.status, beyond.status]).toEqual([200, 413])
    expect(beyond.error().data['reason']).toBe('payload_too_large')
  })

  test('a body without a length is cut off at the limit too', async () => {
    // Attack: a chunked body, which names no length to refuse it by.
    await using agent = await startTestAgent({ limits: { maxBodyBytes: 1000 } })
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(`{"x":"${'a'.repeat(5000)}"}`))
        controller.close()
      },
    })

    const response = await fetch(`${agent.url}/trpc/pay`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...bearer(await agent.token({ scope: 'billing:write' })),
      },
      body,
      duplex: 'half',
    })

    expect(response.status).toBe(413)
  })

  test('a batch over the limit is refused as a whole', async () => {
    // Attack: amplification. One small request that starts any number of calls.
    await using agent = await startTestAgent({ limits: { maxBatchSize: 3 } })
    const headers = bearer(await agent.token())
    const batch = async (size: number) =>
      callTrpc(agent.url, `${Array(size).fill('whoAmI').join(',')}?batch=1`, { headers })

    const [within, beyond] = [await batch(3), await batch(4)]

    expect([within.status, within.answers()]).toMatchObject([200, { length: 3 }])
    expect(beyond.status).toBe(400)
    expect(agent.log().filter((line) => line['msg'] === 'call')).toHaveLength(3)
  })
})

describe('starting', () => {
  const options = {
    agentId: 'agent-x',
    issuer: 'https://issuer.example',
    authenticator: { authenticate: async () => Promise.reject(new Error('not called')) },
    logger: createLogger({ name: 'agent-x', write: () => undefined }),
    port: 0,
  }

  test('is refused for a router with a procedure that declares no scope', async () => {
    const t = initTRPC.create()
    const router = t.router({ open: t.procedure.query(() => 'anyone') })

    await expect(serveAgent({ ...options, router })).rejects.toThrow(
      new TypeError('procedure "open" declares no scope: make it with scopedProcedure(…)'),
    )
  })

  test('says what to do about a port that is taken', async () => {
    await using agent = await startTestAgent()

    const second = startTestAgent({ port: agent.port })

    await expect(second).rejects.toMatchObject({
      name: 'ListenError',
      code: 'listen_failed',
      message: `127.0.0.1:${String(agent.port)} is already in use: stop what listens there, or choose another port`,
    })
    expect((await fetch(`${agent.url}/livez`)).status).toBe(200)
  })

  test('says what to do about a host that is not this machine', async () => {
    const router = initTRPC.create().router({})

    const start = serveAgent({ ...options, router, host: '192.0.2.1' })

    await expect(start).rejects.toThrow(
      '192.0.2.1:0 is not an address of this machine: choose another host',
    )
  })
})
