// RFC 7662, OAuth 2.0 Token Introspection.
import { expect } from 'vitest'
import { readConfig } from '../../apps/auth-server/src/config.ts'
import {
  basic,
  getToken,
  introspect,
  readOAuthError,
  revoke,
  send,
} from '../../apps/auth-server/test-support/oauth-request.ts'
import { startTestAgent } from '../support/test-agent.ts'
import { verifies } from './verifies.ts'
import { post, startConformanceWorld } from './world.ts'

const INTROSPECT = '/oauth/introspect'
const INACTIVE = '{"active":false}'

verifies('rfc7662-2.1-post-form', 'answers a form by POST, and nothing else', async () => {
  await using world = await startConformanceWorld()
  const { alice, bob, server } = world
  const token = await getToken(server, alice)
  const url = server.issuer + INTROSPECT

  const form = await post(world, INTROSPECT, { as: bob, form: { token } })
  const get = await send(`${url}?token=${token}`, { headers: basic(bob) })
  const json = await send(url, {
    method: 'POST',
    headers: { ...basic(bob), 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  })

  expect(form.body).toMatchObject({ active: true })
  expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST'])
  expect(readOAuthError(json)).toEqual({ status: 400, error: 'invalid_request' })
})

verifies('rfc7662-2.1-token-required', 'refuses a question about no token', async () => {
  await using world = await startConformanceWorld()

  const answer = await post(world, INTROSPECT, { as: world.bob })

  expect(readOAuthError(answer)).toEqual({ status: 400, error: 'invalid_request' })
})

verifies('rfc7662-2.1-hint-extends-search', 'finds tokens and keys by any hint', async () => {
  await using world = await startConformanceWorld()
  const { admin, alice, bob, server } = world
  const token = await getToken(server, alice)
  const { apiKey } = await admin.apiKeys.create.mutate({
    agentId: alice.id,
    scopes: ['notes:read'],
  })

  for (const text of [token, apiKey]) {
    for (const hint of ['access_token', 'refresh_token', 'urn:example:unknown']) {
      const form = { token: text, token_type_hint: hint }
      const answer = await post(world, INTROSPECT, { as: bob, form })

      expect(answer.body).toMatchObject({ active: true, client_id: alice.id })
    }
  }
})

verifies(
  [
    'rfc7662-2.1-authorization',
    'rfc7662-4-requires-authentication',
    'rfc7662-2.3-invalid-credentials',
  ],
  'tells nothing to whoever does not authenticate',
  async () => {
    // Attack: tokens are guessed, or stolen ones tried, at an endpoint that tells good from bad.
    await using world = await startConformanceWorld()
    const { alice, bob, server } = world
    const token = await getToken(server, alice)

    const answers = [
      await post(world, INTROSPECT, { form: { token } }),
      await post(world, INTROSPECT, { form: { token, client_id: bob.id } }),
      await post(world, INTROSPECT, { as: { id: bob.id, secret: 'x' }, form: { token } }),
    ]

    expect(answers.map(readOAuthError)).toEqual(
      answers.map(() => ({ status: 401, error: 'invalid_client' })),
    )
  },
)

verifies('rfc7662-2.2-active', 'answers a JSON object with active', async () => {
  await using world = await startConformanceWorld()
  const { alice, bob, server } = world
  const token = await getToken(server, alice)

  const good = await introspect(server, bob, token)
  const bad = await introspect(server, bob, 'unknown')

  expect([good.body['active'], bad.body['active']]).toEqual([true, false])
  expect(good.headers.get('content-type')).toMatch(/^application\/json\b/)
})

verifies(
  ['rfc7662-2.2-inactive', 'rfc7662-2.3-no-error-for-inactive', 'rfc7662-4-resource-server'],
  'says of what is ended, unknown, or meant for another the same: inactive',
  async () => {
    await using world = await startConformanceWorld()
    const { alice, bob, mallory, server } = world
    const ended = await getToken(server, alice)
    const good = await getToken(server, alice)
    await revoke(server, alice, ended)

    const answers = [
      await introspect(server, bob, ended),
      await introspect(server, bob, 'unknown'),
      await introspect(server, mallory, good),
      // Not even the agent that it was issued to: it is for Bob.
      await introspect(server, alice, good),
    ]

    expect(answers.map(({ status, text }) => [status, text])).toEqual(
      answers.map(() => [200, INACTIVE]),
    )
  },
)

verifies(
  ['rfc7662-2.2-registered-names', 'rfc7662-5-privacy'],
  'answers registered names, two of its own, and nothing about persons',
  async () => {
    await using world = await startConformanceWorld()
    const { alice, bob, server } = world

    const { body } = await introspect(server, bob, await getToken(server, alice))

    expect(Object.keys(body).toSorted()).toEqual([
      'active',
      'aud',
      'client_id',
      'exp',
      'iat',
      'iss',
      'jti',
      'owner_id',
      'rate_limit_tier',
      'scope',
      'sub',
      'token_type',
    ])
  },
)

verifies('rfc7662-4-expired', 'says of a token that has expired: inactive', async () => {
  await using world = await startConformanceWorld()
  const { alice, bob, server } = world
  const token = await getToken(server, alice)

  server.clock.advance(899)
  const inTime = await introspect(server, bob, token)
  server.clock.advance(1)
  const late = await introspect(server, bob, token)

  expect([inTime.body['active'], late.body['active']]).toEqual([true, false])
})

verifies(
  ['rfc7662-4-revoked', 'rfc7662-4-all-checks'],
  'says of a token that was revoked, or whose secret or agent was: inactive',
  async () => {
    await using world = await startConformanceWorld()
    const { admin, alice, bob, server } = world
    const byItself = await getToken(server, alice)
    const bySecret = await getToken(server, alice)

    await revoke(server, alice, byItself)
    const first = [await introspect(server, bob, byItself), await introspect(server, bob, bySecret)]
    await admin.agents.deactivate.mutate({ id: alice.id })
    const then = await introspect(server, bob, bySecret)

    expect(first.map(({ body }) => body['active'])).toEqual([false, true])
    expect(then.text).toBe(INACTIVE)
  },
)

verifies('rfc7662-4-signature', 'says of a token whose text was changed: inactive', async () => {
  await using world = await startConformanceWorld()
  const { alice, bob, server } = world
  const [header = '', payload = '', signature = ''] = (await getToken(server, alice)).split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

  for (const forged of [
    `${header}.${encode({ ...claims, scope: 'notes:read notes:write admin' })}.${signature}`,
    `${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.`,
    `${header}.${payload}.${'A'.repeat(signature.length)}`,
  ]) {
    expect((await introspect(server, bob, forged)).text).toBe(INACTIVE)
  }
})

verifies(
  ['rfc7662-4-tls', 'rfc7662-2-transport'],
  'refuses to start with an issuer by plain http',
  async () => {
    const read = () => readConfig({ DEPUTY_ISSUER: 'http://as.example' })

    expect(read).toThrow(/DEPUTY_ISSUER: must be https/)
  },
)

verifies(
  'rfc7662-4-cache-not-beyond-exp',
  'refuses an API key from the request on after which it is inactive',
  async () => {
    await using agent = await startTestAgent()
    const call = async () =>
      fetch(`${agent.url}/trpc/whoAmI`, { headers: { 'x-api-key': agent.apiKey.value } })

    const before = await call()
    agent.apiKey.isActive = false
    const after = await call()

    expect([before.status, after.status]).toEqual([200, 401])
  },
)
