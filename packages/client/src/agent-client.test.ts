// The client against a real agent over HTTP; only the authorization server is pretended.
import { createAgentSecret } from '@deputy/auth/protocol'
import { createServer, type RequestListener } from 'node:http'
import { describe, expect, test } from 'vitest'
import { createFakeTokenEndpoint, tokenAnswer } from '../../../test/support/fake-token-endpoint.ts'
import { findFreePort } from '../../../test/support/find-free-port.ts'
import {
  BUG_MESSAGE,
  startTestAgent,
  TEST_AGENT,
  type TestAgent,
  type TestRouter,
} from '../../../test/support/test-agent.ts'
import { ISSUER } from '../../../test/support/test-issuer.ts'
import { apiKey, clientSecret, createAgentClient, toClientError } from './index.ts'

/** A client of the agent whose tokens come, one after the other, from `createToken`. */
function createClient(agent: TestAgent, createToken?: (at: number) => Promise<string>) {
  const endpoint = createFakeTokenEndpoint(async (at) =>
    tokenAnswer(createToken ? await createToken(at) : await agent.token()),
  )
  const credentials = clientSecret({
    issuer: ISSUER,
    clientId: 'agent-alice-v1',
    clientSecret: 'cs-agent-hunter2',
    fetch: endpoint.fetch,
    clock: agent.clock,
  })
  const client = createAgentClient<TestRouter>({
    url: agent.url,
    credentials,
    audience: TEST_AGENT,
    scopes: ['billing:read'],
  })
  return { client, endpoint }
}

async function startHttpServer(listener: RequestListener) {
  const server = createServer(listener)
  const port = await findFreePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${String(port)}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const calls = (agent: TestAgent) => agent.log().filter((line) => line['msg'] === 'call')

describe('calls', () => {
  test('ask for one token, on the first of them', async () => {
    await using agent = await startTestAgent()
    const { client, endpoint } = createClient(agent)
    const before = endpoint.requests.length

    await client.echo.query({ text: 'one' })
    const answer = await client.echo.query({ text: 'two' })

    expect([before, endpoint.requests.length, answer]).toEqual([0, 1, 'two'])
  })

  test('of the same moment share a request, and a token', async () => {
    await using agent = await startTestAgent()
    const { client, endpoint } = createClient(agent)

    const answers = await Promise.all(
      ['a', 'b', 'c'].map(async (text) => client.echo.query({ text })),
    )

    expect(answers).toEqual(['a', 'b', 'c'])
    expect(new Set(calls(agent).map((line) => line['correlationId'])).size).toBe(1)
    expect(endpoint.requests).toHaveLength(1)
  })

  test('beyond what an agent takes in one request are split', async () => {
    await using agent = await startTestAgent()
    const { client } = createClient(agent)

    const answers = await Promise.all(
      Array.from({ length: 150 }, async (_, at) => client.echo.query({ text: String(at) })),
    )

    expect(answers).toEqual(Array.from({ length: 150 }, (_, at) => String(at)))
  })

  test('renew a token before it ends', async () => {
    await using agent = await startTestAgent()
    const { client, endpoint } = createClient(agent)
    await client.whoAmI.query()

    agent.clock.advance(850)
    await client.whoAmI.query()
    await client.whoAmI.query()
    agent.clock.advance(60)
    const answer = await client.whoAmI.query()

    expect(answer.expiresAt).toBe(agent.clock.now() - 60 + 900)
    expect(endpoint.requests).toHaveLength(2)
  })

  test('go on when the agent refuses a token that the client took for good', async () => {
    await using agent = await startTestAgent()
    const { client, endpoint } = createClient(agent, async (at) =>
      agent.token(at === 0 ? { exp: agent.clock.now() - 1 } : { jti: 'fresh' }),
    )

    const answers = await Promise.all(Array.from({ length: 5 }, async () => client.whoAmI.query()))

    expect(new Set(answers.map(({ credential }) => credential.id))).toEqual(new Set(['fresh']))
    expect(endpoint.requests).toHaveLength(2)
  })

  test('give up when the fresh token is refused too', async () => {
    await using agent = await startTestAgent()
    const { client, endpoint } = createClient(agent, async () => agent.token({ aud: 'agent-x' }))

    const error = await client.whoAmI.query().catch(toClientError)

    expect(error).toMatchObject({
      code: 'token_audience_invalid',
      status: 401,
      hint: `Ask the authorization server for a token with audience=${TEST_AGENT}.`,
    })
    expect(endpoint.requests).toHaveLength(2)
  })

  test('by API key are not repeated when the key is refused', async () => {
    await using agent = await startTestAgent()
    const client = createAgentClient<TestRouter>({
      url: `${agent.url}/`,
      credentials: apiKey(agent.apiKey.value),
      audience: TEST_AGENT,
      scopes: [],
    })
    const { agentId } = await client.whoAmI.query()

    agent.apiKey.isActive = false
    const error = await client.whoAmI.query().catch(toClientError)

    expect(agentId).toBe('agent-carol-v1')
    expect(error).toMatchObject({ code: 'api_key_invalid', status: 401 })
    expect(calls(agent)).toHaveLength(2)
  })
})

describe('a refusal', () => {
  test('for a missing scope names it, and costs no second token', async () => {
    await using agent = await startTestAgent()
    const { client, endpoint } = createClient(agent)

    const error = await client.pay.mutate({ amountMinor: 1 }).catch(toClientError)

    expect(error).toMatchObject({
      code: 'scope_missing',
      status: 403,
      message: 'Missing required scope: billing:write',
      requiredScopes: ['billing:write'],
      grantedScopes: ['billing:read'],
      correlationId: calls(agent)[0]?.['correlationId'],
    })
    expect(endpoint.requests).toHaveLength(1)
  })

  test('of the agent’s own domain keeps its reason and hint', async () => {
    await using agent = await startTestAgent()
    const { client } = createClient(agent)

    expect(await client.refuse.query().catch(toClientError)).toMatchObject({
      code: 'account_closed',
      status: 409,
      hint: 'Open another one.',
    })
  })

  test('by a bug says no more than where its operator finds it', async () => {
    await using agent = await startTestAgent()
    const { client } = createClient(agent)

    const error = await client.fail.query().catch(toClientError)

    expect(error).toMatchObject({ code: 'internal_error', status: 500 })
    expect(error).not.toMatchObject({ message: expect.stringContaining(BUG_MESSAGE) as string })
    expect(agent.logText()).toContain(toClientError(error).correlationId)
  })
})

describe('what is not an agent', () => {
  const call = async (url: string, timeoutMs?: number) =>
    createAgentClient<TestRouter>({
      url,
      credentials: apiKey(createAgentSecret('apiKey')),
      audience: TEST_AGENT,
      scopes: [],
      timeoutMs,
    })
      .whoAmI.query()
      .catch(toClientError)

  test('nothing at all: a network error with a hint', async () => {
    expect(await call(`http://127.0.0.1:${String(await findFreePort())}`)).toMatchObject({
      code: 'network_error',
      hint: 'Check that the agent is running and that its URL is right.',
    })
  })

  test.each([
    ['a page of HTML', 200, '<html>'],
    ['a proxy’s error page', 502, '<html>'],
    ['other JSON', 200, '{"hello":"world"}'],
    ['a list', 200, '[]'],
    ['nothing', 204, ''],
  ])('%s: a network error', async (_what, status, body) => {
    await using server = await startHttpServer((_req, res) => res.writeHead(status).end(body))

    expect(await call(server.url)).toMatchObject({ name: 'ClientError', code: 'network_error' })
  })

  test('one that never answers: a deadline', async () => {
    await using server = await startHttpServer(() => undefined)

    expect(await call(server.url, 50)).toMatchObject({ code: 'deadline_exceeded' })
  })

  test.each([301, 302, 307, 308])(
    'one that sends the call elsewhere by %i: the credentials do not go there',
    async (status) => {
      // Attack: an agent, or whoever took over its name, collects API keys on another host. `fetch`
      // takes the Authorization header off a redirect to another origin, but no other header.
      const seen: unknown[] = []
      await using thief = await startHttpServer((req, res) => {
        seen.push(req.headers)
        res.end()
      })
      await using server = await startHttpServer((req, res) => {
        res.writeHead(status, { location: `${thief.url}${req.url ?? ''}` }).end()
      })

      const error = await call(server.url)

      expect(seen).toEqual([])
      expect(error).toMatchObject({ code: 'network_error' })
    },
  )
})

describe('creating a client', () => {
  test.each(['', 'billing.example', 'ftp://x', 'file:///etc', 'ws://127.0.0.1', 'javascript:0'])(
    'is refused at once for the URL %j',
    (url) => {
      const create = () =>
        createAgentClient({ url, credentials: () => ({}) as never, audience: 'x', scopes: [] })

      expect(create).toThrow(TypeError)
    },
  )
})
