// From an agent's URL to its token, and what stands in the way of whoever would lead a client astray.
import { describe, expect, test } from 'vitest'
import { clientSecret } from '../credentials/client-secret.ts'
import { privateKeyJwt } from '../credentials/private-key-jwt.ts'
import { toClientError } from '../error/to-client-error.ts'
import { discoverAgent, generateDpopKey } from '../index.ts'
import { isPrivateAddress, isPrivateHost } from './public-hosts.ts'

const AGENT = 'https://billing.example'
const ISSUER = 'https://issuer.example'
const RESOURCE_PATH = '/.well-known/oauth-protected-resource'
const ISSUER_PATH = '/.well-known/oauth-authorization-server'

type Pages = Readonly<Record<string, unknown>>

const AGENT_PAGES: Pages = {
  [AGENT + RESOURCE_PATH]: {
    resource: AGENT,
    authorization_servers: [ISSUER],
    scopes_supported: ['billing:read'],
  },
}
const ISSUER_PAGES: Pages = {
  [ISSUER + ISSUER_PATH]: { issuer: ISSUER, token_endpoint: `${ISSUER}/token` },
  [`${ISSUER}/token`]: { access_token: 'token', token_type: 'Bearer', expires_in: 900 },
}

/** Serves these pages, and nothing else; keeps what was asked for. */
function serve(pages: Pages) {
  const asked: { readonly url: string; readonly body: string }[] = []
  const fetchWith: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    asked.push({ url: request.url, body: await request.text() })
    const page = pages[request.url]
    if (page instanceof Response) return page.clone()
    return page === undefined ? new Response('', { status: 404 }) : Response.json(page)
  }
  return { fetch: fetchWith, asked, urls: () => asked.map(({ url }) => url) }
}

const secret = (fetchWith: typeof fetch, changes: object = {}) =>
  clientSecret({
    issuer: ISSUER,
    clientId: 'agent-alice-v1',
    clientSecret: 'cs-agent-hunter2',
    fetch: fetchWith,
    ...changes,
  })

async function createKey() {
  return (await generateDpopKey()).privateKey
}

describe('an agent', () => {
  test('says what it is called and whose tokens it takes (RFC 9728 §3)', async () => {
    const { fetch, urls } = serve(AGENT_PAGES)

    expect(await discoverAgent(AGENT, { fetch })).toEqual({
      resource: AGENT,
      issuers: [ISSUER],
      scopes: ['billing:read'],
    })
    expect(urls()).toEqual([AGENT + RESOURCE_PATH])
  })

  test('below a path is asked below its path', async () => {
    const url = `${AGENT}/agents/one`
    const { fetch } = serve({
      [`${AGENT}${RESOURCE_PATH}/agents/one`]: { resource: url, authorization_servers: [ISSUER] },
    })

    expect(await discoverAgent(url, { fetch })).toMatchObject({ resource: url })
  })

  test.each<[string, Pages]>([
    [
      'says that it is another one',
      { [AGENT + RESOURCE_PATH]: { resource: 'https://evil.example' } },
    ],
    ['sends its caller elsewhere', { [AGENT + RESOURCE_PATH]: Response.redirect(AGENT, 302) }],
    ['answers a page', { [AGENT + RESOURCE_PATH]: new Response('<html>') }],
    ['is not one', {}],
    [
      'names an issuer in clear text',
      { [AGENT + RESOURCE_PATH]: { resource: AGENT, authorization_servers: ['http://a.example'] } },
    ],
  ])('that %s is not called', async (_what, pages) => {
    const { fetch } = serve(pages)

    expect(await discoverAgent(AGENT, { fetch }).catch(toClientError)).toMatchObject({
      code: 'discovery_failed',
      message: expect.stringContaining(AGENT) as string,
      hint: expect.stringMatching(/./) as string,
    })
  })

  test('that does not answer is waited for as long as was said', async () => {
    const fetchWith: typeof fetch = async (_input, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(new Error('it took too long')))
      })

    const outcome = await discoverAgent(AGENT, { fetch: fetchWith, timeoutMs: 1 }).catch(
      toClientError,
    )

    expect(outcome).toMatchObject({ code: 'discovery_failed' })
  })
})

describe('an issuer', () => {
  const target = { audience: 'agent-billing-v2', scopes: [] }

  test.each<[string, Pages, string]>([
    [
      'whose metadata is another one’s (RFC 8414 §3.3)',
      { [ISSUER + ISSUER_PATH]: { issuer: 'https://evil.example' } },
      'token_response_invalid',
    ],
    [
      'that hands out tokens on another host',
      { [ISSUER + ISSUER_PATH]: { issuer: ISSUER, token_endpoint: 'https://evil.example/token' } },
      'host_not_allowed',
    ],
    [
      'that hands out tokens in clear text',
      { [ISSUER + ISSUER_PATH]: { issuer: ISSUER, token_endpoint: 'http://issuer.example/token' } },
      'token_unavailable',
    ],
    [
      'that sends its clients elsewhere',
      { [ISSUER + ISSUER_PATH]: Response.redirect('https://evil.example', 302) },
      'token_response_invalid',
    ],
  ])('%s is never sent the secret', async (_what, pages, code) => {
    // Attack: whoever can put up metadata, or take over a name, collects secrets.
    const { asked, fetch } = serve({ ...pages })
    const random = () => 0

    const outcome = await secret(fetch, { random })(target).authorize().catch(toClientError)

    expect(outcome).toMatchObject({ name: 'ClientError', code })
    expect(JSON.stringify(asked)).not.toMatch(/hunter2/)
    expect(asked.filter(({ url }) => url.startsWith('https://evil'))).toEqual([])
  })

  test('may hand out tokens on a host that was named', async () => {
    const endpoint = 'https://tokens.example/token'
    const { fetch } = serve({
      [ISSUER + ISSUER_PATH]: { issuer: ISSUER, token_endpoint: endpoint },
      [endpoint]: { access_token: 'token', token_type: 'Bearer' },
    })

    const authorizer = secret(fetch, { allowedHosts: ['tokens.example'] })(target)

    expect((await authorizer.authorize()).toHeaders()).toEqual({ authorization: 'Bearer token' })
  })

  test('may have OpenID Connect’s metadata alone', async () => {
    const { [ISSUER + ISSUER_PATH]: metadata, ...pages } = ISSUER_PAGES
    const { fetch, urls } = serve({
      ...pages,
      [`${ISSUER}/.well-known/openid-configuration`]: metadata,
    })

    expect(await secret(fetch)(target).authorize()).toBeDefined()
    expect(urls().at(-1)).toBe(`${ISSUER}/token`)
  })
})

describe('from the URL alone', () => {
  const discover = (fetchWith: typeof fetch, settings: object = {}) => ({
    scopes: ['billing:read'],
    discover: async () => discoverAgent(AGENT, { fetch: fetchWith, ...settings }),
  })

  test('a token is asked for at the issuer that the agent names, for its URL (RFC 8707)', async () => {
    const { asked, fetch } = serve({ ...AGENT_PAGES, ...ISSUER_PAGES })

    await secret(fetch)(discover(fetch)).authorize()

    const form = new URLSearchParams(asked.at(-1)?.body)
    expect([form.get('resource'), form.get('audience'), form.get('scope')]).toEqual([
      AGENT,
      null,
      'billing:read',
    ])
  })

  test('a secret is sent to its own issuer, whatever the agent names', async () => {
    // Attack: an agent that sends its callers, with their secrets, to an issuer of its choice.
    const evil = 'https://evil.example'
    const { asked, fetch } = serve({
      [AGENT + RESOURCE_PATH]: { resource: AGENT, authorization_servers: [evil] },
      [evil + ISSUER_PATH]: { issuer: evil, token_endpoint: `${evil}/token` },
    })

    const outcome = await secret(fetch)(discover(fetch)).authorize().catch(toClientError)

    expect(outcome).toMatchObject({
      code: 'issuer_not_trusted',
      message: expect.stringContaining(evil) as string,
    })
    expect(asked.map(({ url }) => url)).toEqual([AGENT + RESOURCE_PATH])
  })

  test('a key goes to whichever issuer the agent names, in assertions for that one alone', async () => {
    const { asked, fetch } = serve({ ...AGENT_PAGES, ...ISSUER_PAGES })
    const credentials = privateKeyJwt({ clientId: 'agent-alice-v1', key: await createKey(), fetch })

    await credentials(discover(fetch)).authorize()

    const assertion = new URLSearchParams(asked.at(-1)?.body).get('client_assertion') ?? ''
    const claims: unknown = JSON.parse(atob(assertion.split('.')[1] ?? ''))
    expect(claims).toMatchObject({ iss: 'agent-alice-v1', sub: 'agent-alice-v1', aud: ISSUER })
  })

  test('an agent that names nobody is one that nobody has tokens for', async () => {
    const { fetch } = serve({ [AGENT + RESOURCE_PATH]: { resource: AGENT } })
    const credentials = privateKeyJwt({ clientId: 'agent-alice-v1', key: await createKey(), fetch })

    const outcome = await credentials(discover(fetch)).authorize().catch(toClientError)

    expect(outcome).toMatchObject({ code: 'issuer_not_trusted' })
  })

  test('an issuer on a private address is not asked, where that is refused', async () => {
    // Attack: server-side request forgery. The metadata names a host of the caller's own network.
    const { fetch, urls } = serve({
      [AGENT + RESOURCE_PATH]: {
        resource: AGENT,
        authorization_servers: ['https://169.254.169.254'],
      },
    })
    const settings = { refusePrivateAddresses: true }

    const outcome = await discoverAgent(AGENT, { fetch, ...settings }).catch(toClientError)
    const own = await secret(fetch, { issuer: 'http://127.0.0.1:1', random: () => 0, ...settings })(
      {
        audience: 'agent-billing-v2',
        scopes: [],
      },
    )
      .authorize()
      .catch(toClientError)

    expect([outcome, own]).toMatchObject([
      { code: 'host_not_allowed' },
      { code: 'host_not_allowed' },
    ])
    expect(urls()).toEqual([AGENT + RESOURCE_PATH])
  })
})

describe('what is private', () => {
  test.each([
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '203.0.113.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'fd12:3456::1',
    'ff02::1',
    '::ffff:10.0.0.1',
    '::ffff:0a00:0001',
    '::10.0.0.1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::808:808',
    '64:ff9b:1:a00:1:0:808:808',
    '2002:0a00:0001::',
    '2001:db8::1',
    'not:an:address',
  ])('%s is', (address) => {
    expect(isPrivateAddress(address)).toBe(true)
  })

  test.each([
    '1.1.1.1',
    '93.184.215.14',
    '100.63.0.1',
    '172.15.0.1',
    '172.32.0.1',
    '192.167.1.1',
    '223.255.255.1',
    '2606:4700::1111',
    '2a00:1450:4001:80b::200e',
    '::ffff:93.184.215.14',
    '64:ff9b::93.184.215.14',
  ])('%s is not', (address) => {
    expect(isPrivateAddress(address)).toBe(false)
  })

  test.each([
    ['localhost', true],
    ['LOCALHOST.', true],
    ['a.localhost', true],
    ['printer.local', true],
    ['db.internal', true],
    ['router', true],
    ['router.', true],
    ['[::1]', true],
    ['10.0.0.1', true],
    ['billing.example', false],
    ['localhost.example', false],
    ['[2606:4700::1111]', false],
    ['1.1.1.1', false],
  ])('the host %s: %s', (host, isPrivate) => {
    expect(isPrivateHost(host)).toBe(isPrivate)
  })
})
