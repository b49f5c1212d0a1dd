// RFC 6749, The OAuth 2.0 Authorization Framework: §§2.3, 3.2, 3.3, 4.4 and 5.
import { decodeJwt } from 'jose'
import { expect } from 'vitest'
import * as z from 'zod'
import { readConfig } from '../../apps/auth-server/src/config.ts'
import { readOAuthError, send } from '../../apps/auth-server/test-support/oauth-request.ts'
import { createProofKey } from '../support/test-proof.ts'
import { signClientAssertion } from './client-assertion.ts'
import { verifies } from './verifies.ts'
import { askToken, post, readMetadata, startConformanceWorld } from './world.ts'

const TOKEN = '/oauth/token'
const GRANT = { grant_type: 'client_credentials' }
const INVALID_CLIENT = { status: 401, error: 'invalid_client' }
const INVALID_REQUEST = { status: 400, error: 'invalid_request' }

verifies(
  ['rfc6749-2.3-public-clients', 'rfc6749-4.4-confidential-only'],
  'gives no token to a client that only says who it is',
  async () => {
    await using world = await startConformanceWorld()

    const answer = await post(world, TOKEN, { form: { ...GRANT, client_id: world.alice.id } })

    expect(readOAuthError(answer)).toEqual(INVALID_CLIENT)
  },
)

verifies('rfc6749-2.3-one-method', 'refuses two methods at once, even two good ones', async () => {
  await using world = await startConformanceWorld()
  const { alice } = world
  const form = { ...GRANT, client_id: alice.id, client_secret: alice.secret }

  const answer = await post(world, TOKEN, { as: alice, form })

  expect(readOAuthError(answer)).toEqual(INVALID_REQUEST)
})

verifies('rfc6749-2.3.1-basic', 'takes id and secret by Basic, form-encoded', async () => {
  await using world = await startConformanceWorld()
  const { alice } = world
  const escaped = `%${Buffer.from(alice.id).toString('hex').match(/../g)?.join('%')}`

  const plain = await post(world, TOKEN, { as: alice, form: GRANT })
  const headers = { authorization: `Basic ${btoa(`${escaped}:${alice.secret}`)}` }
  const encoded = await post(world, TOKEN, { form: GRANT, headers })

  expect([plain.status, encoded.status]).toEqual([200, 200])
})

verifies(
  'rfc6749-2.3.1-body-parameters',
  'takes client_id and client_secret in the body, and neither without the other',
  async () => {
    await using world = await startConformanceWorld()
    const { id, secret } = world.alice

    const both = await post(world, TOKEN, {
      form: { ...GRANT, client_id: id, client_secret: secret },
    })
    const idAlone = await post(world, TOKEN, { form: { ...GRANT, client_id: id } })
    const secretAlone = await post(world, TOKEN, { form: { ...GRANT, client_secret: secret } })

    expect(both.status).toBe(200)
    expect(readOAuthError(idAlone)).toEqual(INVALID_CLIENT)
    expect(readOAuthError(secretAlone)).toEqual(INVALID_CLIENT)
  },
)

verifies('rfc6749-2.3.1-not-in-url', 'refuses credentials in the URL', async () => {
  // Attack: a secret in a URL is read from the logs of every proxy on the way.
  await using world = await startConformanceWorld()
  const { alice } = world
  const query = new URLSearchParams({ client_id: alice.id, client_secret: alice.secret }).toString()

  const alone = await post(world, `${TOKEN}?${query}`, { form: GRANT })
  const beside = await post(world, `${TOKEN}?${query}`, { as: alice, form: GRANT })

  expect(readOAuthError(alone)).toEqual(INVALID_REQUEST)
  expect(readOAuthError(beside)).toEqual(INVALID_REQUEST)
})

verifies(
  ['rfc6749-2.3.1-tls', 'rfc6749-3.2-tls'],
  'refuses to start where other machines would send secrets by plain http',
  async () => {
    for (const environment of [
      { DEPUTY_ISSUER: 'http://as.example' },
      { DEPUTY_HOST: '10.0.0.5' },
    ]) {
      expect(() => readConfig(environment)).toThrow(/DEPUTY_ISSUER: .*https/)
    }
  },
)

verifies(
  'rfc6749-2.3.1-brute-force',
  'slows down whoever guesses, and not the client whose secret is guessed',
  async () => {
    await using world = await startConformanceWorld()
    const { alice } = world

    const guesses: number[] = []
    for (let guess = 0; guess < 20; guess += 1) {
      const impostor = { id: alice.id, secret: `wrong-${String(guess)}` }
      guesses.push((await post(world, TOKEN, { as: impostor, form: GRANT })).status)
    }
    const good = await post(world, TOKEN, { as: alice, form: GRANT })

    expect(guesses.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 401))
    expect(guesses.at(-1)).toBe(429)
    expect(good.status).toBe(200)
  },
)

verifies(
  'rfc6749-2.3.2-other-methods',
  'takes an assertion for the client whose key it is, and for no other',
  async () => {
    await using world = await startConformanceWorld()
    const { admin, alice, bob, server } = world
    const key = await createProofKey()
    await admin.clientKeys.create.mutate({ agentId: alice.id, jwk: { ...key.publicJwk } })

    const own = await post(world, TOKEN, {
      form: { ...GRANT, ...(await signClientAssertion(server, key, { client: alice.id })) },
    })
    const foreign = await post(world, TOKEN, {
      form: { ...GRANT, ...(await signClientAssertion(server, key, { client: bob.id })) },
    })

    expect(decodeJwt(String(own.body['access_token'])).sub).toBe(alice.id)
    expect(readOAuthError(foreign)).toEqual(INVALID_CLIENT)
  },
)

verifies('rfc6749-3.2-no-fragment', 'publishes a token endpoint without a fragment', async () => {
  await using world = await startConformanceWorld()

  const { token_endpoint: url } = await readMetadata(world)

  expect(url).toBe(world.server.issuer + TOKEN)
  expect(new URL(url).hash).toBe('')
})

verifies('rfc6749-3.2-post', 'answers other methods with 405 and the one to use', async () => {
  await using world = await startConformanceWorld()
  const url = world.server.issuer + TOKEN

  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    const answer = await send(url, { method })

    expect([method, answer.status, answer.headers.get('allow')]).toEqual([method, 405, 'POST'])
  }
})

verifies(
  'rfc6749-3.2-empty-parameters',
  'takes a parameter without a value as left out',
  async () => {
    await using world = await startConformanceWorld()

    const empty = await askToken(world, { scope: '', audience: '', resource: '' })
    const leftOut = await askToken(world)
    const noGrant = await post(world, TOKEN, { as: world.alice, form: { grant_type: '' } })

    expect(empty.body['scope']).toBe(leftOut.body['scope'])
    expect(readOAuthError(noGrant)).toEqual(INVALID_REQUEST)
  },
)

verifies('rfc6749-3.2-unknown-parameters', 'ignores parameters that it does not know', async () => {
  await using world = await startConformanceWorld()

  const answer = await askToken(world, { 'urn:example:unknown': '1', __proto__x: '2' })

  expect(answer.status).toBe(200)
})

verifies('rfc6749-3.2-no-repetition', 'refuses each parameter that is repeated', async () => {
  await using world = await startConformanceWorld()

  for (const [name, value] of [
    ['grant_type', 'client_credentials'],
    ['scope', 'notes:read'],
    ['scope', ''],
    ['client_id', world.alice.id],
    ['urn:example:unknown', 'x'],
  ] as const) {
    const pair: [string, string] = [name, value]
    const form: [string, string][] = [...Object.entries(GRANT), pair, pair]
    const answer = await post(world, TOKEN, { as: world.alice, form })

    expect([name, readOAuthError(answer)]).toEqual([name, INVALID_REQUEST])
  }
})

verifies(
  'rfc6749-3.2-no-repetition',
  'has no member twice in the text of its answers',
  async () => {
    await using world = await startConformanceWorld()

    const { body, text } = await askToken(world)

    expect(text).toBe(JSON.stringify(body))
  },
)

verifies(
  [
    'rfc6749-3.2.1-confidential-authenticate',
    'rfc6749-4.4.2-client-authenticates',
    'rfc6749-4.4.2-authenticates-client',
  ],
  'gives nobody a token without credentials, and says the same of unknown clients and wrong secrets',
  async () => {
    await using world = await startConformanceWorld()
    const { alice } = world

    const nobody = await post(world, TOKEN, { form: GRANT })
    const unknown = await post(world, TOKEN, { as: { id: 'agent-none', secret: 'x' }, form: GRANT })
    const wrong = await post(world, TOKEN, { as: { id: alice.id, secret: 'x' }, form: GRANT })

    expect(readOAuthError(nobody)).toEqual(INVALID_CLIENT)
    expect(readOAuthError(wrong)).toEqual(INVALID_CLIENT)
    expect(unknown.text).toBe(wrong.text)
  },
)

verifies('rfc6749-4.4.2-grant-type', 'needs grant_type', async () => {
  await using world = await startConformanceWorld()

  const without = await post(world, TOKEN, { as: world.alice })
  const withIt = await post(world, TOKEN, { as: world.alice, form: GRANT })

  expect(readOAuthError(without)).toEqual(INVALID_REQUEST)
  expect(withIt.status).toBe(200)
})

/** RFC 6749 §5.1, and nothing beside it but the limits of RFC 9396. */
const TokenAnswer = z.strictObject({
  access_token: z.string().regex(/^[\x20-\x7E]+$/),
  token_type: z.literal('Bearer'),
  expires_in: z.int().positive(),
  scope: z.string(),
  authorization_details: z.array(z.looseObject({ type: z.string() })).optional(),
})

verifies(
  ['rfc6749-5.1-access-token', 'rfc6749-5.1-expires-in', 'rfc6749-4.4.3-no-refresh-token'],
  'answers a token, its type and its life, and no refresh token',
  async () => {
    await using world = await startConformanceWorld()

    const answer = await askToken(world)

    const { access_token: token, expires_in: life } = TokenAnswer.parse(answer.body)
    const { exp = 0, iat = 0 } = decodeJwt(token)
    expect(life).toBe(exp - iat)
    expect(answer.headers.get('content-type')).toMatch(/^application\/json\b/)
  },
)

verifies(
  ['rfc6749-5.1-scope', 'rfc6749-3.3-scope-told', 'rfc6749-3.3-default-scope'],
  'says which scopes the token has: all, those asked for, or those that were left',
  async () => {
    await using world = await startConformanceWorld()
    const { admin, alice, bob } = world

    const all = await askToken(world)
    const some = await askToken(world, { scope: 'notes:write' })
    await admin.agents.update.mutate({ id: alice.id, settings: { scopePolicy: 'partial' } })
    const left = await askToken(world, { scope: 'notes:read notes:none', audience: bob.id })

    expect(all.body['scope']).toBe('notes:read notes:write')
    expect(some.body['scope']).toBe('notes:write')
    expect(left.body['scope']).toBe('notes:read')
  },
)

verifies('rfc6749-5.1-no-store', 'forbids caches to keep answers, good or bad', async () => {
  await using world = await startConformanceWorld()
  const token = await askToken(world)
  const form = { token: String(token.body['access_token']) }

  for (const answer of [
    token,
    await post(world, TOKEN, { form: GRANT }),
    await post(world, '/oauth/introspect', { as: world.bob, form }),
    await post(world, '/oauth/revoke', { as: world.alice, form }),
  ]) {
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('pragma')).toBe('no-cache')
  }
})

verifies('rfc6749-5.2-error', 'refuses with 400, one code, and JSON', async () => {
  await using world = await startConformanceWorld()

  const answer = await askToken(world, { scope: 'other:read' })

  expect(readOAuthError(answer)).toEqual({ status: 400, error: 'invalid_scope' })
})

verifies(
  'rfc6749-5.2-error-characters',
  'keeps quotation marks, backslashes and what is not ASCII out of its descriptions',
  async () => {
    await using world = await startConformanceWorld()

    for (const scope of ['"', '\\', 'café', '\u0000', 'a  b', '\u2028']) {
      const answer = await askToken(world, { scope })

      // Throws for any other character.
      expect(readOAuthError(answer).status).toBe(400)
    }
  },
)

verifies(
  'rfc6749-5.2-invalid-client',
  'answers 401 with a challenge of the scheme that was used',
  async () => {
    await using world = await startConformanceWorld()

    const answer = await post(world, TOKEN, {
      as: { id: world.alice.id, secret: 'x' },
      form: GRANT,
    })

    expect(readOAuthError(answer)).toEqual(INVALID_CLIENT)
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm="[^"]+"$/)
  },
)

verifies('rfc6749-5.2-unsupported-grant-type', 'names the grant types that it has', async () => {
  await using world = await startConformanceWorld()

  for (const grant of ['authorization_code', 'refresh_token', 'password', 'constructor']) {
    const answer = await askToken(world, { grant_type: grant })

    expect(readOAuthError(answer)).toEqual({ status: 400, error: 'unsupported_grant_type' })
  }
})

verifies(
  'rfc6749-5.2-invalid-scope',
  'refuses scopes that are malformed, unknown or beyond the client',
  async () => {
    await using world = await startConformanceWorld()

    for (const scope of ['"', 'unknown:read', 'other:read', 'notes:read notes:delete']) {
      const answer = await askToken(world, { scope, audience: world.bob.id })

      expect([scope, readOAuthError(answer)]).toEqual([
        scope,
        { status: 400, error: 'invalid_scope' },
      ])
    }
  },
)
