// Over real HTTP, because what a redirect does is decided below the injected fetch.
import { createServer, type RequestListener } from 'node:http'
import { describe, expect, test } from 'vitest'
import { createIssuerDiscovery } from './issuer-discovery.ts'
import { createHttpIntrospect } from './introspect.ts'
import { createRemoteSigningKeySource } from './remote-signing-keys.ts'

/** Serves by path what the test says, and keeps what was asked for. */
async function startServer(listener: RequestListener) {
  const requests: string[] = []
  const server = createServer((req, res) => {
    requests.push(req.url ?? '')
    listener(req, res)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  return {
    url: `http://127.0.0.1:${String(port)}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const METADATA = '/.well-known/oauth-authorization-server'
const metadata = (issuer: string, more: object = {}): string =>
  JSON.stringify({
    issuer,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    introspection_endpoint: `${issuer}/introspect`,
    response_types_supported: [],
    ...more,
  })

describe('discovery', () => {
  test('happens once, also for many callers at once', async () => {
    await using server = await startServer((req, res) =>
      res.end(metadata(`http://${req.headers.host ?? ''}`)),
    )
    const discover = createIssuerDiscovery(server.url)

    await Promise.all(Array.from({ length: 20 }, discover))
    const found = await discover()

    expect(found.jwks_uri).toBe(`${server.url}/jwks`)
    expect(server.requests).toEqual([METADATA])
  })

  test('that failed is told to all who waited, and tried again by the next', async () => {
    let status = 503
    await using server = await startServer((req, res) =>
      res.writeHead(status).end(metadata(`http://${req.headers.host ?? ''}`)),
    )
    const discover = createIssuerDiscovery(server.url)

    const failed = await Promise.allSettled([discover(), discover()])
    status = 200
    await discover()

    expect(failed).toMatchObject([
      { reason: { message: `${server.url}: metadata answered 503` } },
      { reason: { message: `${server.url}: metadata answered 503` } },
    ])
    expect(server.requests).toHaveLength(2)
  })

  test('refuses metadata that names another issuer, be it by a slash', async () => {
    await using server = await startServer((req, res) =>
      res.end(metadata(`http://${req.headers.host ?? ''}/`)),
    )

    await expect(createIssuerDiscovery(server.url)()).rejects.toThrow(
      `${server.url}: metadata names another issuer, ${server.url}/`,
    )
  })

  test('gives up on an issuer that does not answer', async () => {
    await using server = await startServer(() => undefined)

    await expect(createIssuerDiscovery(server.url, { timeoutMs: 20 })()).rejects.toThrow(/timeout/)
  })
})

describe('a redirect', () => {
  test.each([301, 302, 307, 308])('%i is not followed to metadata elsewhere', async (status) => {
    // Attack: whoever can make the issuer redirect would choose the keys.
    await using thief = await startServer((_req, res) => res.end(metadata(issuer.url)))
    await using issuer = await startServer((req, res) =>
      res.writeHead(status, { location: thief.url + (req.url ?? '') }).end(),
    )

    await expect(createIssuerDiscovery(issuer.url)()).rejects.toThrow(TypeError)

    expect(thief.requests).toEqual([])
  })

  test('is not followed to keys elsewhere', async () => {
    await using thief = await startServer((_req, res) => res.end('{"keys":[]}'))
    await using issuer = await startServer((req, res) => {
      if (req.url === METADATA) res.end(metadata(issuer.url))
      else res.writeHead(302, { location: `${thief.url}/jwks` }).end()
    })
    const keys = createRemoteSigningKeySource(issuer.url)

    const found = keys({ algorithm: 'ES256', kid: 'key-1' })

    await expect(found).rejects.toMatchObject({ code: 'signing_keys_unavailable' })
    expect(thief.requests).toEqual([])
  })

  test('is not followed with a secret in hand', async () => {
    // Attack: the agent's own secret and its caller's key, sent to another host.
    await using thief = await startServer((_req, res) => res.end('{"active":true}'))
    await using issuer = await startServer((req, res) => {
      if (req.url === METADATA) res.end(metadata(issuer.url))
      else res.writeHead(307, { location: `${thief.url}/introspect` }).end()
    })
    const introspect = createHttpIntrospect({
      issuer: issuer.url,
      clientId: 'agent-billing-v2',
      clientSecret: 'cs-agent-hunter2',
    })

    const answer = await introspect('sk-agent-hunter3')

    expect(answer).toMatchObject({ ok: false, refusal: { reason: 'verifier_unavailable' } })
    expect(thief.requests).toEqual([])
    expect(JSON.stringify(answer)).not.toMatch(/hunter/)
  })
})

describe('keys', () => {
  test.each([
    ['500', (issuer: string) => [500, `${issuer} is down`]],
    ['a page of HTML', () => [200, '<html>']],
    ['no list of keys', () => [200, '{"keys":"none"}']],
  ] as const)('that come as %s are not had, which is nobody’s fault', async (_what, answer) => {
    await using issuer = await startServer((req, res) => {
      const [status, body] = req.url === METADATA ? [200, metadata(issuer.url)] : answer(issuer.url)
      res.writeHead(Number(status)).end(body)
    })
    const keys = createRemoteSigningKeySource(issuer.url)

    const found = keys({ algorithm: 'ES256', kid: 'key-1' })

    await expect(found).rejects.toMatchObject({
      code: 'signing_keys_unavailable',
      message: `cannot read the keys of ${issuer.url}`,
    })
  })
})

test('an issuer that does not introspect is one that cannot be asked', async () => {
  await using issuer = await startServer((_req, res) =>
    res.end(metadata(issuer.url, { introspection_endpoint: undefined })),
  )
  const introspect = createHttpIntrospect({
    issuer: issuer.url,
    clientId: 'agent-billing-v2',
    clientSecret: 'x',
  })

  expect(await introspect('sk-agent-x')).toEqual({
    ok: false,
    refusal: {
      reason: 'verifier_unavailable',
      detail: `${issuer.url} does not introspect`,
    },
  })
})
