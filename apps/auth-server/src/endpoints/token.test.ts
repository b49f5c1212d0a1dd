import { AccessTokenClaims, TokenResponse } from '@deputy/auth/protocol'
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose'
import { describe, expect, test } from 'vitest'
import { connectAdmin, enrollCast } from '../../test-support/admin-client.ts'
import { startAuthServer, type TestServer } from '../../test-support/auth-server.ts'
import { START_AT } from '../../test-support/clock.ts'
import {
  basic,
  getToken,
  postToken,
  readOAuthError,
  send,
  type Answer,
} from '../../test-support/oauth-request.ts'

async function setUp() {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startAuthServer())
  const admin = stack.use(connectAdmin(server))
  const cast = await enrollCast(admin)
  const resources = stack.move()
  return { server, admin, ...cast, [Symbol.asyncDispose]: async () => resources.disposeAsync() }
}

async function verifyAsAnyoneWould(server: TestServer, token: string, audience: string) {
  const response = await fetch(`${server.issuer}/.well-known/jwks.json`)
  const keys = (await response.json()) as JSONWebKeySet
  return jwtVerify(token, createLocalJWKSet(keys), {
    audience,
    issuer: server.issuer,
    typ: 'at+jwt',
    algorithms: ['ES256'],
    currentDate: new Date(server.clock.now() * 1000),
  })
}

describe('POST /oauth/token', () => {
  test('gives an authenticated client a token by RFC 9068', async () => {
    await using world = await setUp()

    const answer = await postToken(world.server, world.alice, {
      audience: 'agent-bob',
      scope: 'notes:read',
    })

    expect(answer.status).toBe(200)
    const { access_token: token, ...rest } = TokenResponse.parse(answer.body)
    expect(rest).toEqual({ token_type: 'Bearer', expires_in: 900, scope: 'notes:read' })
    const { payload, protectedHeader } = await verifyAsAnyoneWould(world.server, token, 'agent-bob')
    expect(Object.keys(protectedHeader).toSorted()).toEqual(['alg', 'kid', 'typ'])
    expect(AccessTokenClaims.strict().parse(payload)).toEqual({
      iss: world.server.issuer,
      sub: 'agent-alice',
      client_id: 'agent-alice',
      owner_id: 'system',
      aud: 'agent-bob',
      iat: START_AT,
      exp: START_AT + 900,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      scope: 'notes:read',
      rate_limit_tier: 'standard',
      grant_path: [expect.any(String), payload.jti],
    })
  })

  test('forbids caches to keep the answer', async () => {
    // > The authorization server MUST include the HTTP "Cache-Control" response header field with a
    // > value of "no-store" in any response containing tokens, credentials, or other sensitive
    // > information, as well as the "Pragma" response header field with a value of "no-cache".
    // (RFC 6749 §5.1)
    await using world = await setUp()

    const { headers } = await postToken(world.server, world.alice)

    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('pragma')).toBe('no-cache')
    expect(headers.get('content-type')).toMatch(/^application\/json\b/)
  })

  test('never gives two tokens one id', async () => {
    await using world = await setUp()

    const tokens = await Promise.all(
      Array.from({ length: 20 }, async () => getToken(world.server, world.alice)),
    )

    const verified = await Promise.all(
      tokens.map(async (token) => verifyAsAnyoneWould(world.server, token, 'agent-bob')),
    )
    expect(new Set(verified.map(({ payload }) => payload.jti)).size).toBe(20)
  })

  test('gives a token the life that its agent has', async () => {
    await using world = await setUp()
    await world.admin.agents.update.mutate({
      id: 'agent-alice',
      settings: { accessTokenTtlSeconds: 7 },
    })

    const answer = await postToken(world.server, world.alice)

    const { access_token: token, expires_in: life } = TokenResponse.parse(answer.body)
    const { payload } = await verifyAsAnyoneWould(world.server, token, 'agent-bob')
    expect([life, (payload.exp ?? 0) - (payload.iat ?? 0)]).toEqual([7, 7])
  })

  test('says which scopes it granted when none were named', async () => {
    await using world = await setUp()

    const answer = await postToken(world.server, world.alice, { scope: '' })

    expect(answer.body).toMatchObject({ scope: 'notes:read notes:write' })
  })

  test('grants a scope once however often it is named', async () => {
    await using world = await setUp()

    const answer = await postToken(world.server, world.alice, { scope: 'notes:read notes:read' })

    expect(answer.body).toMatchObject({ scope: 'notes:read' })
  })

  test('takes the credentials in the body', async () => {
    await using world = await setUp()
    const { id, secret } = world.alice

    const answer = await postToken(world.server, undefined, {
      client_id: id,
      client_secret: secret,
    })

    expect(answer.status).toBe(200)
  })

  test('signs with a key that the JWKS has', async () => {
    await using world = await setUp()

    const token = await getToken(world.server, world.alice)

    const { body } = await send(`${world.server.issuer}/.well-known/jwks.json`)
    const { kid } = decodeProtectedHeader(token)
    expect(body).toMatchObject({
      keys: [{ kid, alg: 'ES256', use: 'sig', kty: 'EC' }, { use: 'sig' }],
    })
  })

  test.each([
    ['an unknown grant', { grant_type: 'password' }, 'unsupported_grant_type'],
    ['a missing grant_type', { grant_type: '' }, 'invalid_request'],
    ['a scope with a doubled space', { scope: 'notes:read  notes:write' }, 'invalid_scope'],
    ['a scope with a leading space', { scope: ' notes:read' }, 'invalid_scope'],
    ['a scope with a quotation mark', { scope: 'notes:"read"' }, 'invalid_scope'],
    ['a scope outside ASCII', { scope: 'notes:lesé' }, 'invalid_scope'],
    ['a scope of 5,000 characters', { scope: 'a'.repeat(5000) }, 'invalid_scope'],
    ['a scope that the client may not have', { scope: 'notes:delete' }, 'invalid_scope'],
    ['a good scope and a bad one', { scope: 'notes:read other:read' }, 'invalid_scope'],
    ['an unknown audience', { audience: 'agent-nobody' }, 'invalid_target'],
    ['an audience that the client may not call', { audience: 'agent-mallory' }, 'invalid_target'],
    ['the client itself as audience', { audience: 'agent-alice' }, 'invalid_target'],
    ['an audience in another case', { audience: 'Agent-Bob' }, 'invalid_target'],
    ['a resource', { resource: 'https://bob.example' }, 'invalid_target'],
  ])('refuses %s', async (_, form, code) => {
    await using world = await setUp()

    const answer = await postToken(world.server, world.alice, form)

    expect(readOAuthError(answer)).toEqual({ status: 400, error: code })
  })

  test('refuses an audience that was deactivated, in the words for one that never was', async () => {
    await using world = await setUp()
    await world.admin.agents.deactivate.mutate({ id: 'agent-bob' })

    const inactive = await postToken(world.server, world.alice, { audience: 'agent-bob' })
    const unknown = await postToken(world.server, world.alice, { audience: 'agent-nobody' })

    expect(readOAuthError(inactive)).toEqual({ status: 400, error: 'invalid_target' })
    expect(inactive.text).toBe(unknown.text)
  })

  test('refuses to choose among several agents, and names them', async () => {
    await using world = await setUp()
    const settings = { audiences: ['agent-bob', 'agent-mallory'] }
    await world.admin.agents.update.mutate({ id: 'agent-alice', settings })

    const answer = await postToken(world.server, world.alice, { scope: 'notes:read' })

    expect(readOAuthError(answer)).toEqual({ status: 400, error: 'invalid_target' })
    expect(answer.body['error_description']).toMatch(/agent-bob, agent-mallory/)
  })

  test.each(['grant_type', 'scope', 'client_id', 'client_secret', 'nonsense'])(
    'refuses a repeated %s',
    async (name) => {
      // Attack: a proxy checks the first value, the server uses the second.
      await using world = await setUp()
      const form = new URLSearchParams({ grant_type: 'client_credentials', scope: 'notes:read' })
      form.delete(name)
      form.append(name, 'notes:read')
      form.append(name, '')

      const answer = await postToken(world.server, world.alice, form)

      expect(readOAuthError(answer)).toEqual({ status: 400, error: 'invalid_request' })
      expect(answer.body['error_description']).toMatch(/repeated/)
    },
  )

  test.each(['audience', 'resource'])('refuses a repeated %s as a target', async (name) => {
    // RFC 8707 §2 lets a client name several: a token of Deputy is for one agent.
    await using world = await setUp()
    const form = new URLSearchParams({ grant_type: 'client_credentials' })
    form.append(name, 'agent-bob')
    form.append(name, 'agent-mallory')

    const answer = await postToken(world.server, world.alice, form)

    expect(readOAuthError(answer)).toEqual({ status: 400, error: 'invalid_target' })
  })

  test.each([
    ['JSON', 'application/json'],
    ['multipart', 'multipart/form-data; boundary=x'],
    ['plain text', 'text/plain'],
    ['nothing', undefined],
  ])('refuses a body of %s', async (_, type) => {
    await using world = await setUp()

    const answer = await send(`${world.server.issuer}/oauth/token`, {
      method: 'POST',
      headers: { ...basic(world.alice), ...(type === undefined ? {} : { 'content-type': type }) },
      body: new TextEncoder().encode('grant_type=client_credentials'),
    })

    expect(readOAuthError(answer)).toEqual({ status: 400, error: 'invalid_request' })
  })

  test.each(['GET', 'PUT', 'DELETE', 'PATCH'])(
    'refuses %s and says what to use',
    async (method) => {
      await using world = await setUp()

      const answer = await send(`${world.server.issuer}/oauth/token`, {
        method,
        headers: basic(world.alice),
      })

      expect(readOAuthError(answer)).toEqual({ status: 405, error: 'invalid_request' })
      expect(answer.headers.get('allow')).toBe('POST')
    },
  )

  test.each(['client_id', 'client_secret'])('refuses %s in the URL', async (name) => {
    // Attack: URLs end up in logs, histories and Referer headers, and the secret with them.
    await using world = await setUp()
    const { id, secret } = world.alice
    const inUrl = name === 'client_id' ? id : secret

    const answer = await send(
      `${world.server.issuer}/oauth/token?${new URLSearchParams({ [name]: inUrl }).toString()}`,
      {
        method: 'POST',
        headers: basic(world.alice),
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      },
    )

    expect(readOAuthError(answer)).toEqual({ status: 400, error: 'invalid_request' })
    expect(answer.text).not.toContain(secret)
  })

  test('refuses a body above the limit, whether or not its length is announced', async () => {
    // Attack: endless bodies fill the memory before anyone is authenticated.
    await using world = await setUp()
    const text = `grant_type=client_credentials&x=${'a'.repeat(33 * 1024)}`
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const url = `${world.server.issuer}/oauth/token`

    const announced = await send(url, { method: 'POST', headers, body: text })
    const chunked = await send(url, {
      method: 'POST',
      headers,
      body: new Blob([text]).stream(),
      duplex: 'half',
    })

    expect(readOAuthError(announced)).toEqual({ status: 413, error: 'invalid_request' })
    expect(readOAuthError(chunked)).toEqual({ status: 413, error: 'invalid_request' })
  })

  test('gives an unknown client, a wrong secret and a dead one the same answer, byte for byte', async () => {
    await using world = await setUp()
    const { server } = world
    const expiring = await world.admin.clientSecrets.create.mutate({
      agentId: 'agent-alice',
      expiresAt: START_AT + 10,
    })
    const ended = await world.admin.clientSecrets.create.mutate({ agentId: 'agent-alice' })
    const { clientSecretId } = ended
    await world.admin.clientSecrets.deactivate.mutate({ clientSecretId })
    await world.admin.agents.deactivate.mutate({ id: 'agent-mallory' })
    server.clock.advance(10)

    const answers = await Promise.all(
      [
        { id: 'agent-nobody', secret: world.alice.secret },
        { id: 'agent-alice', secret: 'wrong' },
        { id: 'agent-alice', secret: expiring.clientSecret },
        { id: 'agent-alice', secret: ended.clientSecret },
        { id: 'agent-alice', secret: world.bob.secret },
        world.mallory,
      ].map(async (client) => postToken(server, client)),
    )

    for (const answer of answers)
      expect(readOAuthError(answer)).toEqual({ status: 401, error: 'invalid_client' })
    expect(new Set(answers.map(toComparable)).size).toBe(1)
  })

  test('challenges whoever fails to authenticate, by either method', async () => {
    // > The server generating a 401 response MUST send a WWW-Authenticate header field
    // (RFC 9110 §15.5.2)
    await using world = await setUp()

    const byBasic = await postToken(world.server, { id: 'agent-alice', secret: 'wrong' })
    const byPost = await postToken(world.server, undefined, {
      client_id: 'agent-alice',
      owner_id: 'system',
      client_secret: 'wrong',
    })

    for (const answer of [byBasic, byPost]) {
      expect(readOAuthError(answer)).toEqual({ status: 401, error: 'invalid_client' })
      expect(answer.headers.get('www-authenticate')).toBe('Basic realm="deputy"')
    }
  })

  test('asks who is there before it says what is wrong', async () => {
    // Attack: a stranger learns from the order of checks which grants, scopes and agents there are.
    await using world = await setUp()
    const stranger = { id: 'agent-alice', secret: 'wrong' }

    const answer = await postToken(world.server, stranger, { grant_type: 'password' })

    expect(readOAuthError(answer)).toEqual({ status: 401, error: 'invalid_client' })
  })
})

/** Everything that a client can see of an answer, the time of day aside. */
function toComparable({ headers, status, text }: Answer): string {
  const names = [...headers].filter(([name]) => name !== 'date' && name !== 'x-correlation-id')
  return JSON.stringify([status, names, text])
}
