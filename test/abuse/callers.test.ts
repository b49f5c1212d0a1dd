// One caller's flood is that caller's alone, whatever it comes by; and names that every object has are names of nothing.
import { afterEach, describe, expect, test } from 'vitest'
import { bearer, callTrpc } from '../support/call-trpc.ts'
import { openWebSocket } from '../support/raw-socket.ts'
import { startTestAgent, type TestAgent } from '../support/test-agent.ts'
import { expectHarmless } from './attack.ts'
import { openRaw, toRequest } from './raw-http.ts'

const ALICE = { sub: 'agent-alice-v1', client_id: 'agent-alice-v1' }
const BOB = { sub: 'agent-bob-v1', client_id: 'agent-bob-v1' }

const hold = { method: 'mutation', params: { path: 'hold' } }

async function openSocket({ port, token }: Pick<TestAgent, 'port' | 'token'>, claims = ALICE) {
  return openWebSocket(`ws://127.0.0.1:${String(port)}/trpc`, bearer(await token(claims)))
}

describe('a body that is held back', () => {
  // Attack: prepare calls, all but their last bytes, and send those once the token has been revoked.
  test('begins no work once its caller was revoked', async () => {
    await using agent = await startTestAgent({ limits: { maxCallsPerAgent: 1 } })
    const token = await agent.token({ ...ALICE, grant_path: ['secret-1', 'task-1'] })
    const body = JSON.stringify({ text: 'paid' })
    const headers = {
      ...bearer(token),
      'content-type': 'application/json',
      'content-length': String(body.length),
    }
    const request = toRequest('/trpc/note', headers, { method: 'POST', body: body.slice(0, -1) })
    await using mallory = await openRaw(agent.port, request)
    // Let in, and waiting for its body: then there is no room for another.
    while ((await callTrpc(agent.url, 'whoAmI', { headers: bearer(token) })).status !== 429);

    agent.deny('task-1')
    await mallory.until('token_revoked')
    mallory.write(body.slice(-1))
    const bob = await callTrpc(agent.url, 'note', {
      method: 'POST',
      input: { text: 'good' },
      headers: bearer(await agent.token(BOB)),
    })

    expect(bob.status).toBe(200)
    expect(agent.ticker.noted).toEqual(['good'])
  })

  // The same with a token whose limits are held against the body: it is read before there is any work.
  test('is cut at once also where it is read for the limits of the token', async () => {
    await using agent = await startTestAgent({ limits: { maxCallsPerAgent: 1 } })
    const limit = { type: 'allowed_values', field: 'text', values: ['paid'] }
    const claims = { grant_path: ['secret-1', 'task-1'], authorization_details: [limit] }
    const token = await agent.token({ ...ALICE, ...claims })
    const body = JSON.stringify({ text: 'paid' })
    const length = { 'content-type': 'application/json', 'content-length': String(body.length) }
    const request = toRequest(
      '/trpc/note',
      { ...bearer(token), ...length },
      { method: 'POST', body: body.slice(0, -1) },
    )
    await using mallory = await openRaw(agent.port, request)
    while ((await callTrpc(agent.url, 'whoAmI', { headers: bearer(token) })).status !== 429);

    agent.deny('task-1')
    const answer = await mallory.until('token_revoked')
    mallory.write(body.slice(-1))
    const after = await callTrpc(agent.url, 'whoAmI', {
      headers: bearer(await agent.token({ ...ALICE, jti: 'token-2', grant_path: ['token-2'] })),
    })

    expect(answer).toContain('401')
    // Its place was given back, too.
    expect(after.status).toBe(200)
    expect(agent.ticker.noted).toEqual([])
  })
})

describe('calls under way', () => {
  test('are counted for each agent, over HTTP and WebSocket together', async () => {
    // Attack: calls that take long, on ever more connections, until the agent has no room for anybody else.
    await using agent = await startTestAgent({ limits: { maxCallsPerAgent: 3 } })
    const headers = bearer(await agent.token(ALICE))
    const post = async () => callTrpc(agent.url, 'hold', { method: 'POST', headers })
    await using socket = await openSocket(agent)
    const first = [post(), post()]
    await agent.gate.arrived(2)
    socket.send({ id: 1, ...hold })
    await agent.gate.arrived(3)

    const refused = await post()
    socket.send({ id: 2, ...hold })
    const refusedOnSocket = await socket.message(0)
    const bob = await callTrpc(agent.url, 'whoAmI', { headers: bearer(await agent.token(BOB)) })
    agent.gate.open()
    const answered = await Promise.all(first)
    await socket.message(1)
    const after = await post()

    const data = { reason: 'too_many_calls', retryAfterSeconds: 1 }
    expect([refused.status, refused.header('retry-after')]).toEqual([429, '1'])
    expect(refused.error().data).toMatchObject(data)
    expect(refusedOnSocket).toMatchObject({ id: 2, error: { data } })
    expect(bob.status).toBe(200)
    expect([...answered, after].map(({ status }) => status)).toEqual([200, 200, 200])
  })

  test('are as many as the batch that they come in', async () => {
    await using agent = await startTestAgent({ limits: { maxCallsPerAgent: 3 } })
    const path = `${Array.from({ length: 5 }, () => 'hold').join(',')}?batch=1`
    const headers = bearer(await agent.token(ALICE))
    const batch = callTrpc(agent.url, path, { method: 'POST', headers })
    await agent.gate.arrived(3)

    agent.gate.open()

    const answers = (await batch).answers().map((answer) => ('error' in answer ? 429 : 200))
    expect(answers.toSorted((a, b) => a - b)).toEqual([200, 200, 200, 429, 429])
  })

  test('are counted until their work is done, also where it was asked for in parts and given up', async () => {
    // Attack: ask for answers in parts, wait for none, and have any number of handlers at work.
    await using agent = await startTestAgent({ limits: { maxCallsPerAgent: 1 } })
    const headers = bearer(await agent.token(ALICE))
    const asked = fetch(`${agent.url}/trpc/hold?batch=1`, {
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/json',
        'trpc-accept': 'application/jsonl',
        'deputy-timeout-ms': '500',
      },
      body: '{}',
    })
    await agent.gate.arrived(1)
    expect(await (await asked).text()).toContain('deadline_exceeded')

    const before = await callTrpc(agent.url, 'whoAmI', { headers })
    agent.gate.open()

    expect(before.error().data).toMatchObject({ reason: 'too_many_calls' })
    while ((await callTrpc(agent.url, 'whoAmI', { headers })).status !== 200);
  })

  test('are under way until the last part of their answers', async () => {
    await using agent = await startTestAgent({ limits: { maxCallsPerAgent: 1 } })
    const headers = bearer(await agent.token(ALICE))
    const parts = await fetch(`${agent.url}/trpc/parts?batch=1`, {
      headers: { ...headers, 'trpc-accept': 'application/jsonl' },
    })
    await agent.gate.arrived(1)

    const before = await callTrpc(agent.url, 'whoAmI', { headers })
    agent.gate.open()
    const text = await parts.text()
    const after = await callTrpc(agent.url, 'whoAmI', { headers })

    expect(text).toContain('there')
    expect([before.status, after.status]).toEqual([429, 200])
  })

  test('go on to count when nobody waits for them any more, until they are done', async () => {
    // Attack: calls that are given up at once, while what they have begun goes on.
    // Time enough for a busy machine to begin them.
    await using agent = await startTestAgent({ limits: { maxCallsPerAgent: 2 } })
    await using socket = await openSocket(agent)
    socket.send([
      { id: 1, method: 'mutation', params: { path: 'hold', timeoutMs: 1000 } },
      { id: 2, method: 'mutation', params: { path: 'hold', timeoutMs: 1000 } },
    ])
    await Promise.all([socket.message(0), socket.message(1), agent.gate.arrived(2)])
    const headers = bearer(await agent.token(ALICE))

    const before = await callTrpc(agent.url, 'whoAmI', { headers })
    agent.gate.open()
    const after = await callTrpc(agent.url, 'whoAmI', { headers })

    expect([before.status, after.status]).toEqual([429, 200])
  })
})

describe('names that every object has', () => {
  const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'then']
  const pollution =
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"text":"kept"}'

  afterEach(() => {
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
    expect(Reflect.get(Object.prototype, 'authorization')).toBeUndefined()
  })

  test.each(NAMES)('are no procedures, over any transport: %s', async (name) => {
    await expectHarmless({}, async (agent) => {
      const headers = bearer(await agent.token())
      const once = { ...headers, connection: 'close' }

      const plain = await callTrpc(agent.url, name, { headers: once })
      const post = await callTrpc(agent.url, name, { method: 'POST', headers: once })
      const batch = await callTrpc(agent.url, `whoAmI,${name}?batch=1`, { headers: once })
      const stream = await callTrpc(agent.url, name, {
        headers: { ...once, accept: 'text/event-stream' },
      })
      const parts = await callTrpc(agent.url, `${name}?batch=1`, {
        headers: { ...once, 'trpc-accept': 'application/jsonl' },
      })
      await using socket = await openSocket(agent)
      for (const [id, method] of ['query', 'mutation', 'subscription'].entries()) {
        socket.send({ id, method, params: { path: name } })
      }
      await socket.message(2)

      expect([plain.status, post.status, batch.status]).toEqual([404, 404, 207])
      expect([stream.text, parts.text].every((text) => text.includes('not_found'))).toBe(true)
      for (const message of socket.messages) {
        expect(message).toMatchObject({ error: { data: { reason: 'not_found' } } })
      }
      expect(JSON.stringify([plain, post, batch, stream, parts])).not.toContain('stack')
    })
  })

  test('are no members of an input, wherever it comes from', async () => {
    await expectHarmless({}, async (agent) => {
      const headers = { ...bearer(await agent.token()), 'content-type': 'application/json' }
      const post = async (path: string, body: string) => {
        const length = { 'content-length': String(body.length), connection: 'close' }
        const request = toRequest(
          `/trpc/${path}`,
          { ...headers, ...length },
          { method: 'POST', body },
        )
        await using raw = await openRaw(agent.port, request)
        return await raw.closed
      }

      expect(await post('echo', pollution)).toContain('"data":"kept"')
      expect(
        await post('echo,echo?batch=1', `{"0":${pollution},"1":${pollution},"__proto__":{"2":{}}}`),
      ).toMatch(/kept.*kept/)
      // A batch whose inputs are all inherited has none.
      expect(await post('echo?batch=1', `{"__proto__":{"0":${pollution}}}`)).toContain(
        'input_invalid',
      )
      await using socket = await openSocket(agent)
      socket.send(
        `{"id":1,"method":"query","__proto__":{"id":2},"params":{"path":"echo","input":${pollution},"__proto__":{"path":"whoAmI"}}}`,
      )
      expect(await socket.message(0)).toMatchObject({ id: 1, result: { data: 'kept' } })
    })
  })

  test('are no header fields and no connection parameters', async () => {
    await expectHarmless({}, async (agent) => {
      const token = await agent.token()
      const fields = Object.fromEntries(NAMES.map((name) => [name, `Bearer ${token}`]))
      await using raw = await openRaw(
        agent.port,
        toRequest('/trpc/whoAmI', { ...fields, ['__proto__']: 'x', connection: 'close' }),
      )
      await using socket = await openWebSocket(
        `ws://127.0.0.1:${String(agent.port)}/trpc?connectionParams=1`,
      )
      socket.send(
        `{"method":"connectionParams","data":{"__proto__":"x","constructor":"Bearer ${token}","toString":"x"}}`,
      )
      socket.send({ id: 1, method: 'query', params: { path: 'whoAmI' } })

      expect(await raw.closed).toMatch(/^HTTP\/1\.1 401 /)
      expect(await socket.message(0)).toMatchObject({
        id: 1,
        error: { data: { reason: 'credentials_missing' } },
      })
    })
  })

  test.each(['__proto__', 'constructor'])('are agents like others: %s', async (name) => {
    // Attack: a caller of this name, whose calls are counted on what every object has.
    await expectHarmless({ maxCallsPerAgent: 1 }, async (agent) => {
      const token = await agent.token({ sub: name, client_id: name, rate_limit_tier: name })
      const headers = { ...bearer(token), connection: 'close' }

      const answer = await callTrpc(agent.url, 'whoAmI', { headers })

      expect(answer.data()).toMatchObject({ agentId: name })
    })
  })
})
