// RFC 7523, JWT Profile for OAuth 2.0 Client Authentication.
import { expect } from 'vitest'
import { readOAuthError, type Answer } from '../../apps/auth-server/test-support/oauth-request.ts'
import type { ProofAlgorithm } from '@deputy/auth/protocol'
import { createProofKey } from '../support/test-proof.ts'
import { signClientAssertion, type AssertionChanges } from './client-assertion.ts'
import { verifies } from './verifies.ts'
import { post, startConformanceWorld } from './world.ts'

const TOKEN = '/oauth/token'
const GRANT = { grant_type: 'client_credentials' }
const INVALID_CLIENT = { status: 401, error: 'invalid_client' }
const INVALID_REQUEST = { status: 400, error: 'invalid_request' }

/** A server at which Alice has a key, and asking it for a token with an assertion by that key. */
async function setUp(algorithm: ProofAlgorithm = 'ES256') {
  await using stack = new AsyncDisposableStack()
  const world = stack.use(await startConformanceWorld())
  const key = await createProofKey(algorithm)
  await world.admin.clientKeys.create.mutate({ agentId: world.alice.id, jwk: { ...key.publicJwk } })
  const sign = async (changes: Omit<AssertionChanges, 'client'> = {}) =>
    signClientAssertion(world.server, key, { client: world.alice.id, ...changes })
  const ask = async (claims: Readonly<Record<string, unknown>> = {}): Promise<Answer> =>
    post(world, TOKEN, { form: { ...GRANT, ...(await sign({ claims })) } })
  const resources = stack.move()
  const close = async (): Promise<void> => resources.disposeAsync()
  return { ...world, key, sign, ask, [Symbol.asyncDispose]: close }
}

verifies('rfc7523-2.2-assertion-type', 'needs the type of JWT bearers', async () => {
  await using world = await setUp()
  const { client_assertion: assertion, client_assertion_type: type } = await world.sign()

  const answers = [
    await post(world, TOKEN, { form: { ...GRANT, client_assertion: assertion } }),
    await post(world, TOKEN, { form: { ...GRANT, client_assertion_type: type } }),
    await post(world, TOKEN, {
      form: {
        ...GRANT,
        client_assertion: assertion,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer',
      },
    }),
  ]

  expect(answers.map(readOAuthError)).toEqual(answers.map(() => INVALID_REQUEST))
})

verifies('rfc7523-2.2-single-jwt', 'takes one JWT, not two, nor two joined', async () => {
  await using world = await setUp()
  const one = await world.sign()
  const two = await world.sign()
  const assertion: [string, string] = ['client_assertion', two.client_assertion]

  const repeated = await post(world, TOKEN, {
    form: [...Object.entries({ ...GRANT, ...one }), assertion],
  })
  const joined = await post(world, TOKEN, {
    form: { ...GRANT, ...one, client_assertion: `${one.client_assertion},${two.client_assertion}` },
  })

  expect(readOAuthError(repeated)).toEqual(INVALID_REQUEST)
  expect(readOAuthError(joined)).toEqual(INVALID_CLIENT)
})

verifies('rfc7523-3-issuer', 'refuses an assertion without an issuer', async () => {
  await using world = await setUp()

  const without = await world.ask({ iss: undefined })
  const good = await world.ask()

  expect(readOAuthError(without)).toEqual(INVALID_CLIENT)
  expect(good.status).toBe(200)
})

verifies(
  'rfc7523-3-issuer-comparison',
  'takes no issuer that is the client by any other measure than the letter',
  async () => {
    await using world = await setUp()
    const { id } = world.alice

    const spellings = [id.toUpperCase(), `${id} `, `${id}/`, encodeURIComponent(`${id}/`)]
    const answers = await Promise.all(
      spellings.flatMap((iss) => [world.ask({ iss }), world.ask({ iss, sub: iss })]),
    )

    expect(answers.map(readOAuthError)).toEqual(answers.map(() => INVALID_CLIENT))
  },
)

verifies(
  'rfc7523-3-subject',
  'refuses a subject that is missing, or not the client that authenticates',
  async () => {
    await using world = await setUp()
    const { bob } = world

    const answers = [
      await world.ask({ sub: undefined }),
      await world.ask({ sub: bob.id }),
      await world.ask({ iss: bob.id }),
      await post(world, TOKEN, {
        form: { ...GRANT, ...(await world.sign()), client_id: bob.id },
      }),
    ]

    expect(answers.map(readOAuthError)).toEqual(answers.map(() => INVALID_CLIENT))
  },
)

verifies(
  ['rfc7523-3-audience', 'rfc7523-3-audience-comparison'],
  'takes no audience but its issuer, to the letter',
  async () => {
    // Attack: a server that the client also talks to gets an assertion made that is good here.
    await using world = await setUp()
    const { issuer } = world.server

    for (const aud of [
      undefined,
      'https://as.example',
      `${issuer}/`,
      issuer.toUpperCase(),
      `${issuer}${TOKEN}`,
      [issuer, 'https://as.example'],
      [],
    ]) {
      const answer = await world.ask({ aud })

      expect([aud, readOAuthError(answer)]).toEqual([aud, INVALID_CLIENT])
    }
    expect((await world.ask({ aud: [issuer] })).status).toBe(200)
  },
)

verifies('rfc7523-3-expiration', 'needs an end that has not passed', async () => {
  await using world = await setUp()
  const now = world.server.clock.now()

  const answers = [
    await world.ask({ exp: undefined }),
    await world.ask({ exp: now - 6 }),
    await world.ask({ exp: String(now + 60) }),
    await world.ask({ exp: now + 3600 }),
  ]

  expect(answers.map(readOAuthError)).toEqual(answers.map(() => INVALID_CLIENT))
})

verifies('rfc7523-3-not-before', 'takes no assertion before its time', async () => {
  await using world = await setUp()
  const { clock } = world.server
  const nbf = clock.now() + 30
  const assertion = await world.sign({ claims: { nbf } })

  const early = await post(world, TOKEN, { form: { ...GRANT, ...assertion } })
  clock.advance(30)
  const inTime = await post(world, TOKEN, { form: { ...GRANT, ...assertion } })

  expect(readOAuthError(early)).toEqual(INVALID_CLIENT)
  expect(inTime.status).toBe(200)
})

verifies('rfc7523-3-replay', 'takes an assertion once, and none without an id', async () => {
  await using world = await setUp()
  const assertion = await world.sign()

  const first = await post(world, TOKEN, { form: { ...GRANT, ...assertion } })
  const again = await post(world, TOKEN, { form: { ...GRANT, ...assertion } })
  const nameless = await world.ask({ jti: undefined })

  expect(first.status).toBe(200)
  expect(readOAuthError(again)).toEqual(INVALID_CLIENT)
  expect(readOAuthError(nameless)).toEqual(INVALID_CLIENT)
})

verifies(
  ['rfc7523-3-signature', 'rfc7523-3-criteria', 'rfc7523-3.2-invalid-client'],
  'refuses what is not signed by a key of the client, in the words that an unknown client gets',
  async () => {
    await using world = await setUp()
    const { alice, server } = world
    const foreign = await createProofKey()
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
    const good = await world.sign()
    const [, payload = '', signature = ''] = good.client_assertion.split('.')
    const withText = (text: string) => ({ ...good, client_assertion: text })

    const byStranger = await signClientAssertion(server, foreign, { client: alice.id })
    const ofNobody = await signClientAssertion(server, foreign, { client: 'agent-none' })
    const unsigned = withText(`${encode({ alg: 'none' })}.${payload}.`)
    const symmetric = withText(`${encode({ alg: 'HS256' })}.${payload}.${signature}`)
    const cutShort = withText(good.client_assertion.slice(0, -8))
    const texts = await Promise.all(
      [byStranger, ofNobody, unsigned, symmetric, cutShort].map(async (assertion) => {
        const answer = await post(world, TOKEN, { form: { ...GRANT, ...assertion } })
        expect(readOAuthError(answer)).toEqual(INVALID_CLIENT)
        return answer.text
      }),
    )

    expect(texts[0]).toBe(texts[1])
  },
)

verifies('rfc7523-3-valid-jwt', 'refuses what is no JWT that it understands', async () => {
  await using world = await setUp()
  const { sign } = world

  for (const assertion of [
    await sign({ header: { crit: ['b64'], b64: true } }),
    await sign({ claims: { aud: 7 } }),
    { ...(await sign()), client_assertion: 'a.b.c' },
    { ...(await sign()), client_assertion: 'a.b.c.d.e' },
  ]) {
    const answer = await post(world, TOKEN, { form: { ...GRANT, ...assertion } })

    expect(readOAuthError(answer)).toEqual(INVALID_CLIENT)
  }
})

verifies('rfc7523-5-rs256', 'takes assertions signed by RS256', async () => {
  await using world = await setUp('RS256')

  const answer = await world.ask()

  expect(answer.status).toBe(200)
})
