// RFC 7009, OAuth 2.0 Token Revocation.
import { expect } from 'vitest'
import { readConfig } from '../../apps/auth-server/src/config.ts'
import {
  getToken,
  introspect,
  readOAuthError,
} from '../../apps/auth-server/test-support/oauth-request.ts'
import { verifies } from './verifies.ts'
import { post, readMetadata, startConformanceWorld } from './world.ts'

const REVOKE = '/oauth/revoke'
const INACTIVE = { active: false }

verifies(
  ['rfc7009-2-https', 'rfc7009-2-no-http-published'],
  'refuses to start with an issuer by plain http that other machines would use',
  async () => {
    const read = () => readConfig({ DEPUTY_ISSUER: 'http://as.example' })

    expect(read).toThrow(/DEPUTY_ISSUER: must be https/)
  },
)

verifies(
  ['rfc7009-2-https', 'rfc7009-2-no-http-published', 'rfc7009-2-url-rules'],
  'publishes the endpoint below its issuer',
  async () => {
    await using world = await startConformanceWorld()

    const metadata = await readMetadata(world)

    expect(metadata.revocation_endpoint).toBe(`${metadata.issuer}${REVOKE}`)
    expect(metadata.revocation_endpoint).not.toContain('#')
  },
)

verifies('rfc7009-2.1-token-required', 'refuses a request that names no token', async () => {
  await using world = await startConformanceWorld()

  const answer = await post(world, REVOKE, { as: world.alice })

  expect(readOAuthError(answer)).toEqual({ status: 400, error: 'invalid_request' })
})

verifies(
  'rfc7009-2.1-hint-extends-search',
  'finds a token, and a key, that is not what the hint says',
  async () => {
    await using world = await startConformanceWorld()
    const { admin, alice, bob, server } = world
    const token = await getToken(server, alice)
    const { apiKey } = await admin.apiKeys.create.mutate({
      agentId: alice.id,
      scopes: ['notes:read'],
    })

    for (const text of [token, apiKey]) {
      const form = { token: text, token_type_hint: 'refresh_token' }
      await post(world, REVOKE, { as: alice, form })
    }

    expect((await introspect(server, bob, token)).body).toEqual(INACTIVE)
    expect((await introspect(server, bob, apiKey)).body).toEqual(INACTIVE)
  },
)

verifies(
  'rfc7009-2.1-authenticates-client',
  'ends nothing for whoever does not authenticate',
  async () => {
    await using world = await startConformanceWorld()
    const { alice, bob, server } = world
    const token = await getToken(server, alice)

    const nobody = await post(world, REVOKE, { form: { token, client_id: alice.id } })
    const impostor = { id: alice.id, secret: bob.secret }
    const wrong = await post(world, REVOKE, { as: impostor, form: { token } })

    expect(readOAuthError(nobody)).toEqual({ status: 401, error: 'invalid_client' })
    expect(readOAuthError(wrong)).toEqual({ status: 401, error: 'invalid_client' })
    expect((await introspect(server, bob, token)).body).toMatchObject({ active: true })
  },
)

verifies(
  'rfc7009-2.1-issued-to-client',
  "leaves another client's token as it is, and says what it says of an unknown one",
  async () => {
    // Attack: whoever overhears a token ends the work of others, or learns that the token is real.
    await using world = await startConformanceWorld()
    const { alice, bob, mallory, server } = world
    const token = await getToken(server, alice)

    const foreign = await post(world, REVOKE, { as: mallory, form: { token } })
    const unknown = await post(world, REVOKE, { as: mallory, form: { token: 'unknown' } })

    expect([foreign.status, foreign.text]).toEqual([unknown.status, unknown.text])
    expect((await introspect(server, bob, token)).body).toMatchObject({ active: true })
  },
)

verifies(
  ['rfc7009-2.1-immediate', 'rfc7009-2.2-revoked-token'],
  'answers 200 once the token is ended, for everybody and at once',
  async () => {
    await using world = await startConformanceWorld()
    const { alice, bob, server } = world
    const token = await getToken(server, alice)

    const answer = await post(world, REVOKE, { as: alice, form: { token } })

    expect(answer.status).toBe(200)
    expect((await introspect(server, bob, token)).body).toEqual(INACTIVE)
  },
)

verifies('rfc7009-2.2-unknown-token', 'answers 200 to what is no token', async () => {
  await using world = await startConformanceWorld()

  const answers = await Promise.all(
    ['unknown', 'a.b.c', `sk-agent-${'0'.repeat(49)}`].map(async (token) =>
      post(world, REVOKE, { as: world.alice, form: { token } }),
    ),
  )

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
})

verifies('rfc7009-2.2-invalid-hint', 'ignores a hint that nobody knows', async () => {
  await using world = await startConformanceWorld()
  const { alice, bob, server } = world
  const token = await getToken(server, alice)

  const form = { token, token_type_hint: 'urn:example:unknown' }
  const answer = await post(world, REVOKE, { as: alice, form })

  expect(answer.status).toBe(200)
  expect((await introspect(server, bob, token)).body).toEqual(INACTIVE)
})

verifies('rfc7009-2.2.1-errors', 'answers its refusals as the token endpoint does', async () => {
  await using world = await startConformanceWorld()
  const { alice } = world

  const repeated: [string, string][] = [
    ['token', 'one'],
    ['token', 'two'],
  ]
  const answer = await post(world, REVOKE, { as: alice, form: repeated })

  expect(readOAuthError(answer)).toEqual({ status: 400, error: 'invalid_request' })
})

verifies('rfc7009-5-guessing', 'slows down whoever guesses at a secret there', async () => {
  // Attack: the token endpoint slows guesses down, so they are made at another.
  await using world = await startConformanceWorld()
  const { alice } = world
  const guess = { as: { id: alice.id, secret: 'wrong' }, form: { token: 'x' } }

  const statuses: number[] = []
  for (let time = 0; time < 12; time += 1) statuses.push((await post(world, REVOKE, guess)).status)
  const elsewhere = await post(world, '/oauth/token', guess)

  expect(statuses.slice(-2)).toEqual([429, 429])
  expect(elsewhere.status).toBe(429)
  expect((await post(world, REVOKE, { as: alice, form: { token: 'x' } })).status).toBe(200)
})

verifies(
  'rfc7009-5-denial-of-service',
  'answers unknown tokens under any hint so often as the client may call, and then no more',
  async () => {
    // Attack: a client has the server look for tokens that are none, under hints that lead astray.
    await using world = await startConformanceWorld({
      rateLimitTiers: { standard: null, low: { burst: 3, perMinute: 3 } },
    })
    const { admin, alice } = world
    await admin.agents.update.mutate({ id: alice.id, settings: { rateLimitTier: 'low' } })

    const statuses: number[] = []
    for (const hint of ['access_token', 'refresh_token', 'urn:example:unknown', 'access_token']) {
      const form = { token: 'unknown', token_type_hint: hint }
      statuses.push((await post(world, REVOKE, { as: alice, form })).status)
    }

    expect(statuses).toEqual([200, 200, 200, 429])
  },
)
