import { describe, expect, test } from 'vitest'
import { exchangeBytes } from '../../../test/support/raw-socket.ts'
import { startTestAgent } from '../../../test/support/test-agent.ts'
import { ISSUER } from '../../../test/support/test-issuer.ts'

describe('health', () => {
  test('is live and ready once it listens, and nobody may keep the answer', async () => {
    await using agent = await startTestAgent()

    const [live, ready] = await Promise.all([
      fetch(`${agent.url}/livez`),
      fetch(`${agent.url}/readyz`),
    ])

    expect([live.status, await live.json()]).toEqual([200, { status: 'live' }])
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }])
    expect(ready.headers.get('cache-control')).toBe('no-store')
  })

  test.each([
    ['says no', async () => false],
    ['fails', async () => Promise.reject(new Error('disk full at /var/lib'))],
  ])('is live but not ready while what it needs %s', async (_what, isReady) => {
    await using agent = await startTestAgent({ isReady })

    const ready = await fetch(`${agent.url}/readyz`)

    expect([ready.status, await ready.json()]).toEqual([503, { status: 'not ready' }])
    expect((await fetch(`${agent.url}/livez`)).status).toBe(200)
  })

  test('needs no credentials, and looks at none', async () => {
    await using agent = await startTestAgent()

    const live = await fetch(`${agent.url}/livez`, { headers: { authorization: 'nonsense' } })

    expect(live.status).toBe(200)
    expect(agent.issuer.requests).toEqual([])
  })
})

describe('metadata (RFC 9728 §2)', () => {
  test('names the agent, its issuer and every scope of its router once', async () => {
    await using agent = await startTestAgent()

    const response = await fetch(`${agent.url}/.well-known/oauth-protected-resource`)

    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await response.json()).toEqual({
      resource: agent.url,
      resource_name: 'agent-billing-v2',
      authorization_servers: [ISSUER],
      scopes_supported: ['billing:read', 'billing:write'],
      authorization_details_types_supported: ['allowed_values'],
      bearer_methods_supported: ['header'],
      dpop_bound_access_tokens_required: false,
      dpop_signing_alg_values_supported: [
        'ES256',
        'ES384',
        'ES512',
        'EdDSA',
        'Ed25519',
        'PS256',
        'RS256',
      ],
    })
  })

  test('says the public URL where there is one, and never what the Host header says', async () => {
    // Attack: a Host header that makes the metadata, and so the callers, point elsewhere.
    await using agent = await startTestAgent({ publicUrl: 'https://billing.example' })

    const answer = await exchangeBytes(
      agent.port,
      'GET /.well-known/oauth-protected-resource HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n',
    )

    expect(answer).toContain('"resource":"https://billing.example"')
    expect(answer).not.toContain('evil.example')
  })
})

describe('what is not there', () => {
  test.each(['/', '/trpcx', '/TRPC/whoAmI', '/livez/', '/.well-known/', '/trpc/../livezz'])(
    'answers 404 for %s and says where procedures are',
    async (path) => {
      await using agent = await startTestAgent()

      const response = await fetch(agent.url + path)

      expect(response.status).toBe(404)
      expect(await response.json()).toEqual({
        error: 'not_found',
        message: 'there is nothing here: procedures are below /trpc/',
      })
    },
  )

  test.each(['/livez', '/.well-known/oauth-protected-resource'])(
    'answers 405 for POST %s and says what is allowed',
    async (path) => {
      await using agent = await startTestAgent()

      const response = await fetch(agent.url + path, { method: 'POST' })

      expect(response.status).toBe(405)
      expect(response.headers.get('allow')).toBe('GET, HEAD')
      expect((await fetch(agent.url + path, { method: 'HEAD' })).status).toBe(200)
    },
  )

  test('is left to the fallback of the app, but nothing else is', async () => {
    await using agent = await startTestAgent({
      fallback: (_req, res) => res.writeHead(418).end(),
    })

    const statuses = await Promise.all(
      ['/oauth/token', '/livez', '/trpc/whoAmI'].map(
        async (path) => (await fetch(agent.url + path)).status,
      ),
    )

    expect(statuses).toEqual([418, 200, 401])
  })
})

describe('a request that is none', () => {
  test.each([
    ['a URL that cannot be parsed', 'GET http://[ HTTP/1.1\r\nhost: x\r\n'],
    ['a URL with a host only', 'GET // HTTP/1.1\r\nhost: x\r\n'],
    ['no HTTP at all', 'hello\r\n'],
    ['no Host', 'GET /livez HTTP/1.1\r\n'],
    ['a header line that is none', 'GET /livez HTTP/1.1\r\nhost: x\r\nbroken line\r\n'],
    // Attack: request smuggling. Two lengths must not be read two ways by two servers.
    [
      'two different lengths',
      'POST /trpc/pay HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 3\r\n',
    ],
    [
      'a length beside a transfer coding',
      'POST /trpc/pay HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n',
    ],
  ])('gets 400 for %s, and the next one is served', async (_what, request) => {
    await using agent = await startTestAgent()

    const answer = await exchangeBytes(agent.port, `${request}connection: close\r\n\r\n`)

    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect((await fetch(`${agent.url}/livez`)).status).toBe(200)
  })

  test('gets 431 for headers beyond any use', async () => {
    await using agent = await startTestAgent()

    const answer = await exchangeBytes(
      agent.port,
      `GET /livez HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`,
    )

    expect(answer).toMatch(/^HTTP\/1\.1 431 /)
  })
})
