import { IntrospectionResponse } from '@deputy/auth/protocol'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose'
import { describe, expect, test } from 'vitest'
import { connectAdmin, enrollCast } from '../../test-support/admin-client.ts'
import { startAuthServer } from '../../test-support/auth-server.ts'
import { START_AT } from '../../test-support/clock.ts'
import { basic, getToken, introspect, postToken, send } from '../../test-support/oauth-request.ts'

async function setUp() {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startAuthServer())
  const admin = stack.use(connectAdmin(server))
  const cast = await enrollCast(admin)
  const resources = stack.move()
  return { server, admin, ...cast, [Symbol.asyncDispose]: async () => resources.disposeAsync() }
}

const KEY = { agentId: 'agent-alice', scopes: ['notes:read', 'notes:write', 'other:read'] }

/** What a good token of Alice for Bob would hold. */
function goodClaims(issuer: string): JWTPayload {
  return {
    iss: issuer,
    sub: 'agent-alice',
    client_id: 'agent-alice',
    owner_id: 'system',
    aud: 'agent-bob',
    iat: START_AT,
    exp: START_AT + 900,
    jti: 'made-up',
    scope: 'notes:read notes:write',
  }
}

describe('POST /oauth/introspect, of access tokens', () => {
  test('tells the agent that a token is meant for what it is worth', async () => {
    await using world = await setUp()
    const token = await getToken(world.server, world.alice, { scope: 'notes:read' })

    const answer = await introspect(world.server, world.bob, token)

    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(IntrospectionResponse.parse(answer.body)).toEqual({
      ...goodClaims(world.server.issuer),
      active: true,
      token_type: 'Bearer',
      scope: 'notes:read',
      jti: expect.any(String),
      rate_limit_tier: 'standard',
    })
  })

  test('tells every other agent nothing, its holder included', async () => {
    // Attack: a token that was stolen from a log is tried out at the introspection endpoint.
    await using world = await setUp()
    const token = await getToken(world.server, world.alice)

    const toMallory = await introspect(world.server, world.mallory, token)
    const toHolder = await introspect(world.server, world.alice, token)

    expect([toMallory.text, toHolder.text]).toEqual(['{"active":false}', '{"active":false}'])
  })

  test('ends a token in the second in which it expires', async () => {
    await using world = await setUp()
    const token = await getToken(world.server, world.alice)

    world.server.clock.set(START_AT + 899)
    const before = await introspect(world.server, world.bob, token)
    world.server.clock.set(START_AT + 900)
    const after = await introspect(world.server, world.bob, token)

    expect(before.body).toMatchObject({ active: true })
    expect(after.text).toBe('{"active":false}')
  })

  test('ends the tokens of an agent that was deactivated', async () => {
    await using world = await setUp()
    const token = await getToken(world.server, world.alice)
    await world.admin.agents.deactivate.mutate({ id: 'agent-alice' })

    const answer = await introspect(world.server, world.bob, token)

    expect(answer.text).toBe('{"active":false}')
  })

  test.each(['', 'x', 'a.b.c', 'sk-agent-', `sk-agent-${'0'.repeat(49)}`, '\0', '{"active":true}'])(
    'takes %j for what it is: nothing',
    async (garbage) => {
      await using world = await setUp()

      const answer = await introspect(world.server, world.bob, garbage)

      expect(answer.text).toMatch(garbage === '' ? /"invalid_request"/ : /^\{"active":false\}$/)
    },
  )

  test('does not take an unsigned token', async () => {
    // Attack: `alg: none`.
    await using world = await setUp()
    const token = new UnsecuredJWT(goodClaims(world.server.issuer)).encode()

    const answer = await introspect(world.server, world.bob, token)

    expect(answer.text).toBe('{"active":false}')
  })

  test('does not take a token that another key has signed under the name of its own', async () => {
    // Attack: the forger copies `kid` from the JWKS, or brings a key along in the header.
    await using world = await setUp()
    const { body } = await send(`${world.server.issuer}/.well-known/jwks.json`)
    const [{ kid }] = body['keys'] as [{ kid: string }]
    const forger = await generateKeyPair('ES256', { extractable: true })
    const claims = new SignJWT(goodClaims(world.server.issuer))
    const jwk = await exportJWK(forger.publicKey)

    const named = await claims
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid })
      .sign(forger.privateKey)
    const brought = await new SignJWT(goodClaims(world.server.issuer))
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', jwk })
      .sign(forger.privateKey)

    const answers = await Promise.all(
      [named, brought].map(async (token) => introspect(world.server, world.bob, token)),
    )
    expect(answers.map(({ text }) => text)).toEqual(['{"active":false}', '{"active":false}'])
  })

  test('does not take a token that is signed with the public key as a password', async () => {
    // Attack: algorithm confusion, HMAC keyed with what the JWKS shows to everyone.
    await using world = await setUp()
    const { body } = await send(`${world.server.issuer}/.well-known/jwks.json`)
    const [key] = body['keys'] as [{ kid: string; x: string }]
    const token = await new SignJWT(goodClaims(world.server.issuer))
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: key.kid })
      .sign(new TextEncoder().encode(JSON.stringify(key)))

    const answer = await introspect(world.server, world.bob, token)

    expect(answer.text).toBe('{"active":false}')
  })

  test('does not take a token with one character changed', async () => {
    await using world = await setUp()
    const token = await getToken(world.server, world.alice)
    const [header = '', payload = '', signature = ''] = token.split('.')
    const claims = Buffer.from(payload, 'base64url').toString().replace('notes:read', 'notes:rwad')

    const answer = await introspect(
      world.server,
      world.bob,
      [header, Buffer.from(claims).toString('base64url'), signature].join('.'),
    )

    expect(answer.text).toBe('{"active":false}')
  })
})

describe('POST /oauth/introspect, of API keys', () => {
  test('tells what a key is worth at the agent that asks', async () => {
    await using world = await setUp()
    const { apiKey, apiKeyId } = await world.admin.apiKeys.create.mutate({
      ...KEY,
      expiresAt: START_AT + 60,
    })

    const answer = await introspect(world.server, world.bob, apiKey)

    expect(IntrospectionResponse.parse(answer.body)).toEqual({
      ...goodClaims(world.server.issuer),
      active: true,
      token_type: 'api_key',
      jti: apiKeyId,
      exp: START_AT + 60,
      rate_limit_tier: 'standard',
    })
  })

  test('notes the use', async () => {
    await using world = await setUp()
    const { apiKey } = await world.admin.apiKeys.create.mutate(KEY)

    await introspect(world.server, world.bob, apiKey)

    const { apiKeys } = await world.admin.apiKeys.list.query({ agentId: 'agent-alice' })
    expect(apiKeys).toMatchObject([{ lastUsedAt: START_AT }])
  })

  test('refuses a deactivated key on the very next request', async () => {
    await using world = await setUp()
    const { apiKey, apiKeyId } = await world.admin.apiKeys.create.mutate(KEY)

    const before = await introspect(world.server, world.bob, apiKey)
    await world.admin.apiKeys.deactivate.mutate({ apiKeyId })
    const after = await introspect(world.server, world.bob, apiKey)

    expect(before.body).toMatchObject({ active: true })
    expect(after.text).toBe('{"active":false}')
  })

  test('ends a key in the second in which it expires', async () => {
    await using world = await setUp()
    const { apiKey } = await world.admin.apiKeys.create.mutate({ ...KEY, expiresAt: START_AT + 60 })

    world.server.clock.set(START_AT + 59)
    const before = await introspect(world.server, world.bob, apiKey)
    world.server.clock.set(START_AT + 60)
    const after = await introspect(world.server, world.bob, apiKey)

    expect(before.body).toMatchObject({ active: true })
    expect(after.text).toBe('{"active":false}')
  })

  test('ends the keys of an agent that was deactivated', async () => {
    await using world = await setUp()
    const { apiKey } = await world.admin.apiKeys.create.mutate(KEY)
    await world.admin.agents.deactivate.mutate({ id: 'agent-alice' })

    const answer = await introspect(world.server, world.bob, apiKey)

    expect(answer.text).toBe('{"active":false}')
  })

  test('tells an agent that the holder may not call nothing, and notes no use', async () => {
    // Attack: Mallory was handed a key once and asks what it opens.
    await using world = await setUp()
    const { apiKey } = await world.admin.apiKeys.create.mutate(KEY)

    const answer = await introspect(world.server, world.mallory, apiKey)

    expect(answer.text).toBe('{"active":false}')
    const { apiKeys } = await world.admin.apiKeys.list.query({ agentId: 'agent-alice' })
    expect(apiKeys[0]?.lastUsedAt).toBeUndefined()
  })

  test('narrows a key to what its holder may do by now', async () => {
    // Attack: a key from better days outlives the decision to allow less.
    await using world = await setUp()
    const { apiKey } = await world.admin.apiKeys.create.mutate(KEY)
    const settings = { scopes: ['notes:write'] }
    await world.admin.agents.update.mutate({ id: 'agent-alice', settings })

    const answer = await introspect(world.server, world.bob, apiKey)

    expect(answer.body).toMatchObject({ active: true, scope: 'notes:write' })
  })

  test('ends a key at an agent that its holder may no longer call', async () => {
    await using world = await setUp()
    const { apiKey } = await world.admin.apiKeys.create.mutate(KEY)
    await world.admin.agents.update.mutate({ id: 'agent-alice', settings: { audiences: [] } })

    const answer = await introspect(world.server, world.bob, apiKey)

    expect(answer.text).toBe('{"active":false}')
  })

  test('takes no client secret for a key', async () => {
    await using world = await setUp()

    const answer = await introspect(world.server, world.bob, world.alice.secret)

    expect(answer.text).toBe('{"active":false}')
  })
})

describe('POST /oauth/introspect, callers', () => {
  test('answers 401 to whoever does not authenticate', async () => {
    // > To prevent token scanning attacks, the endpoint MUST also require some form of
    // > authorization to access this endpoint (RFC 7662 §2.1)
    await using world = await setUp()
    const token = await getToken(world.server, world.alice)
    const url = `${world.server.issuer}/oauth/introspect`
    const body = new URLSearchParams({ token })

    const anonymous = await send(url, { method: 'POST', body })
    const wrong = await introspect(world.server, { id: 'agent-bob', secret: 'wrong' }, token)
    const byItself = await send(url, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${token}` },
    })

    for (const answer of [anonymous, wrong, byItself]) {
      expect(answer.status).toBe(401)
      expect(answer.body).toMatchObject({ error: 'invalid_client' })
    }
  })

  test('refuses a token in the URL', async () => {
    await using world = await setUp()
    const token = await getToken(world.server, world.alice)

    const answer = await send(`${world.server.issuer}/oauth/introspect?token=${token}`, {
      method: 'POST',
      headers: basic(world.bob),
      body: new URLSearchParams({ token }),
    })

    expect(answer.status).toBe(400)
    expect(answer.body).toMatchObject({ error: 'invalid_request' })
  })

  test('takes any token_type_hint and goes by the token', async () => {
    await using world = await setUp()
    const token = await getToken(world.server, world.alice)

    const answer = await send(`${world.server.issuer}/oauth/introspect`, {
      method: 'POST',
      headers: basic(world.bob),
      body: new URLSearchParams({ token, token_type_hint: 'refresh_token' }),
    })

    expect(answer.body).toMatchObject({ active: true })
  })

  test('refuses a body above the limit', async () => {
    await using world = await setUp()

    const answer = await introspect(world.server, world.bob, 'a'.repeat(33 * 1024))

    expect(answer.status).toBe(413)
    expect(answer.body).toMatchObject({ error: 'invalid_request' })
  })

  test('refuses GET', async () => {
    await using world = await setUp()

    const answer = await send(`${world.server.issuer}/oauth/introspect`)

    expect(answer.status).toBe(405)
    expect(answer.headers.get('allow')).toBe('POST')
  })

  test('gives a deactivated agent neither answers nor tokens', async () => {
    await using world = await setUp()
    const token = await getToken(world.server, world.alice)
    await world.admin.agents.deactivate.mutate({ id: 'agent-bob' })

    const answer = await introspect(world.server, world.bob, token)
    const asked = await postToken(world.server, world.bob)

    expect([answer.status, asked.status]).toEqual([401, 401])
  })
})
