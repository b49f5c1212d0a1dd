// RFC 9068, JSON Web Token (JWT) Profile for OAuth 2.0 Access Tokens.
import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  jwtVerify,
  type JSONWebKeySet,
} from 'jose'
import { createHmac } from 'node:crypto'
import { expect } from 'vitest'
import { enroll } from '../../apps/auth-server/test-support/admin-client.ts'
import { readOAuthError, send } from '../../apps/auth-server/test-support/oauth-request.ts'
import { bearer, callTrpc } from '../support/call-trpc.ts'
import { startTestAgent, type TestAgent } from '../support/test-agent.ts'
import { createSigningPair, goodClaims, signToken } from '../support/test-issuer.ts'
import { readChallenge, toParameters } from './challenge.ts'
import { verifies } from './verifies.ts'
import { askToken, startConformanceWorld, type ConformanceWorld } from './world.ts'

async function getAliceToken(world: ConformanceWorld): Promise<string> {
  return String((await askToken(world)).body['access_token'])
}

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')

/** What an agent answers to a token: the status, and the error of its challenge. */
async function present(agent: TestAgent, token: string) {
  const answer = await callTrpc(agent.url, 'whoAmI', { headers: bearer(token) })
  const challenge = answer.header('www-authenticate')
  const { error } = challenge === null ? {} : toParameters(readChallenge(challenge))
  return [answer.status, error]
}

const TAKEN = [200, undefined]
const INVALID_TOKEN = [401, 'invalid_token']

verifies(
  ['rfc9068-2.1-signed', 'rfc9068-2.1-no-none', 'rfc9068-2.1-typ'],
  'signs tokens of the type at+jwt with a key that it publishes',
  async () => {
    await using world = await startConformanceWorld()
    const token = await getAliceToken(world)

    const { body } = await send(`${world.server.issuer}/.well-known/jwks.json`)
    const keys = createLocalJWKSet(body as unknown as JSONWebKeySet)
    const currentDate = new Date(world.server.clock.now() * 1000)
    const { protectedHeader } = await jwtVerify(token, keys, { currentDate })

    expect(protectedHeader).toMatchObject({ typ: 'at+jwt', alg: 'ES256' })
  },
)

verifies('rfc9068-2.1-rs256', 'signs by RS256 where it is told to', async () => {
  await using world = await startConformanceWorld({ signingAlgorithm: 'RS256' })

  const token = await getAliceToken(world)
  const taken = await world.admin.agents.list.query()

  expect(decodeProtectedHeader(token)).toMatchObject({ typ: 'at+jwt', alg: 'RS256' })
  // The admin API verifies such a token as any agent does.
  expect(taken.agents.length).toBeGreaterThan(0)
})

verifies(
  [
    'rfc9068-2.2-iss',
    'rfc9068-2.2-exp',
    'rfc9068-2.2-aud',
    'rfc9068-2.2-sub',
    'rfc9068-2.2-client-id',
    'rfc9068-2.2-iat',
    'rfc9068-2.2-jti',
  ],
  'says in each token who, for whom, by whom, and when',
  async () => {
    await using world = await startConformanceWorld()
    const { alice, bob, server } = world

    const [first, second] = [
      decodeJwt(await getAliceToken(world)),
      decodeJwt(await getAliceToken(world)),
    ]

    expect(first).toMatchObject({
      iss: server.issuer,
      sub: alice.id,
      client_id: alice.id,
      aud: bob.id,
      iat: server.clock.now(),
      exp: server.clock.now() + 900,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    })
    expect(second.jti).not.toBe(first.jti)
  },
)

verifies(
  'rfc9068-2.2.3-scopes-mean-something',
  'gives no scope that the audience does not know, even where the client may have it elsewhere',
  async () => {
    await using world = await startConformanceWorld()

    const { scope } = decodeJwt(await getAliceToken(world))
    const refused = await askToken(world, { scope: 'other:read', audience: world.bob.id })

    expect(scope).toBe('notes:read notes:write')
    expect(readOAuthError(refused)).toEqual({ status: 400, error: 'invalid_scope' })
  },
)

verifies(
  ['rfc9068-3-default-resource', 'rfc9068-3-not-ambiguous', 'rfc9068-5-distinct-audiences'],
  'chooses the one audience that there is, and none where there are two',
  async () => {
    await using world = await startConformanceWorld()
    const { admin, alice, bob } = world

    const only = await getAliceToken(world)
    const carol = await enroll(admin, 'agent-carol', { scopesSupported: ['notes:read'] })
    const audiences = [bob.id, carol.id]
    await admin.agents.update.mutate({ id: alice.id, settings: { audiences } })
    const ambiguous = await askToken(world, { scope: 'notes:read' })
    const named = await askToken(world, { scope: 'notes:read', audience: carol.id })

    expect(decodeJwt(only).aud).toBe(bob.id)
    expect(readOAuthError(ambiguous)).toEqual({ status: 400, error: 'invalid_target' })
    expect(decodeJwt(String(named.body['access_token'])).aud).toBe(carol.id)
  },
)

verifies('rfc9068-4-typ', 'takes the type at+jwt, by both of its names, and no other', async () => {
  // Attack: a JWT that the issuer signed for something else is shown as an access token.
  await using agent = await startTestAgent()
  const present_ = async (typ: string | undefined) => present(agent, await agent.token({}, { typ }))

  expect(await present_('at+jwt')).toEqual(TAKEN)
  expect(await present_('application/at+jwt')).toEqual(TAKEN)
  for (const typ of ['JWT', 'dpop+jwt', 'id+jwt', undefined]) {
    expect(await present_(typ)).toEqual(INVALID_TOKEN)
  }
})

verifies('rfc9068-4-iss', 'takes tokens of its issuer, to the letter', async () => {
  await using agent = await startTestAgent()

  for (const iss of [
    'https://issuer.example/',
    'https://ISSUER.example',
    'https://other.example',
    undefined,
  ]) {
    const token = await agent.token({ iss })

    expect([iss, await present(agent, token)]).toEqual([iss, INVALID_TOKEN])
  }
})

verifies('rfc9068-4-aud', 'takes tokens that name it among their audiences', async () => {
  await using agent = await startTestAgent()
  const audience = 'agent-billing-v2'

  expect(await present(agent, await agent.token({ aud: [audience, 'agent-other'] }))).toEqual(TAKEN)
  for (const aud of ['agent-other', [], 'agent-billing', `${audience} `, undefined]) {
    const token = await agent.token({ aud })

    expect([aud, await present(agent, token)]).toEqual([aud, INVALID_TOKEN])
  }
})

verifies(
  ['rfc9068-4-signature', 'rfc9068-4-no-none', 'rfc9068-2.1-no-none', 'rfc9068-4-issuer-keys'],
  'takes no token that a published key did not sign by the algorithm of its header',
  async () => {
    await using agent = await startTestAgent()
    const [header = '', payload = '', signature = ''] = (await agent.token()).split('.')
    const stranger = await createSigningPair('key-1')
    const { publicJwk: jwk } = stranger
    const hmac = encode({ alg: 'HS256', typ: 'at+jwt', kid: 'key-1' })
    const mac = createHmac('sha256', JSON.stringify(agent.issuer.keys[0]))
      .update(`${hmac}.${payload}`)
      .digest('base64url')

    for (const forged of [
      `${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.`,
      `${header}.${payload}.`,
      `${header}.${encode({ ...goodClaims(agent.clock.now()), scope: 'all' })}.${signature}`,
      `${encode({ alg: 'RS256', typ: 'at+jwt', kid: 'key-1' })}.${payload}.${signature}`,
      // Attack: HMAC keyed with the public key, which everybody has.
      `${hmac}.${payload}.${mac}`,
      // Attack: a key of one's own under the name of the issuer's, or sent along in the header.
      await signToken(stranger, goodClaims(agent.clock.now())),
      `${encode({ alg: 'ES256', typ: 'at+jwt', jwk })}.${payload}.${signature}`,
    ]) {
      expect(await present(agent, forged)).toEqual(INVALID_TOKEN)
    }
  },
)

verifies('rfc9068-4-exp', 'takes a token until the second before it ends', async () => {
  await using agent = await startTestAgent()
  const token = await agent.token()

  agent.clock.advance(899)
  const inTime = await present(agent, token)
  agent.clock.advance(1)
  const late = await present(agent, token)

  expect([inTime, late]).toEqual([TAKEN, INVALID_TOKEN])
})

verifies(
  ['rfc9068-4-invalid-token', 'rfc9068-4-errors'],
  'takes no token that lacks a claim',
  async () => {
    await using agent = await startTestAgent()

    for (const name of ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti']) {
      const token = await agent.token({ [name]: undefined })

      expect([name, await present(agent, token)]).toEqual([name, INVALID_TOKEN])
    }
  },
)
