// RFC 6750, OAuth 2.0 Bearer Token Usage.
import { createRemoteSigningKeySource } from '@deputy/auth'
import { decodeJwt } from 'jose'
import { expect } from 'vitest'
import { readConfig } from '../../apps/auth-server/src/config.ts'
import { introspect, send } from '../../apps/auth-server/test-support/oauth-request.ts'
import { bearer, callTrpc } from '../support/call-trpc.ts'
import { startTestAgent, type TestAgent } from '../support/test-agent.ts'
import { readChallenge, toParameters } from './challenge.ts'
import { verifies } from './verifies.ts'
import { askToken, startConformanceWorld } from './world.ts'

/** A call of each way to be refused for one's credential. */
async function collectRefusals(agent: TestAgent) {
  const now = agent.clock.now()
  const good = await agent.token()
  const call = async (headers: Record<string, string>, path = 'whoAmI') =>
    callTrpc(agent.url, path, { headers, ...(path === 'pay' ? { method: 'POST' } : {}) })
  return {
    none: await call({}),
    malformed: await call({ authorization: 'Bearer "café" \\' }),
    noToken: await call(bearer('not-a-jwt')),
    expired: await call(bearer(await agent.token({ exp: now - 1 }))),
    foreign: await call(bearer(await agent.token({ aud: 'agent-other' }))),
    forged: await call(bearer(`${good.slice(0, -8)}AAAAAAAA`)),
    scope: await call(bearer(good), 'pay'),
    ambiguous: await call({ ...bearer(good), 'x-api-key': agent.apiKey.value }),
  }
}

verifies(
  ['rfc6750-2-one-method', 'rfc6750-3.1-invalid-request'],
  'refuses two credentials in one request',
  async () => {
    await using agent = await startTestAgent()

    const { ambiguous } = await collectRefusals(agent)

    expect(ambiguous.status).toBe(400)
    expect(toParameters(readChallenge(ambiguous.header('www-authenticate')))).toMatchObject({
      error: 'invalid_request',
    })
  },
)

verifies('rfc6750-2.1-authorization-header', 'takes a token in the header', async () => {
  await using agent = await startTestAgent()
  const token = await agent.token()

  const upper = await callTrpc(agent.url, 'whoAmI', { headers: bearer(token) })
  const lower = await callTrpc(agent.url, 'whoAmI', {
    headers: { authorization: `bearer ${token}` },
  })

  expect([upper.status, lower.status]).toEqual([200, 200])
})

verifies('rfc6750-2.3-query', 'reads no token from the URL', async () => {
  // Attack: a link with a token in it is shared, logged or kept in a history.
  await using agent = await startTestAgent()

  const answer = await callTrpc(agent.url, `whoAmI?access_token=${await agent.token()}`)

  expect([answer.status, answer.error().data['reason']]).toEqual([401, 'credentials_missing'])
})

verifies(
  ['rfc6750-3-challenge', 'rfc6750-3-scheme', 'rfc6750-3-once'],
  'answers each refusal with one Bearer challenge, and no parameter twice',
  async () => {
    await using agent = await startTestAgent()

    for (const [name, refused] of Object.entries(await collectRefusals(agent))) {
      const { parameters, scheme } = readChallenge(refused.header('www-authenticate'))
      const names = parameters.map(([parameter]) => parameter)

      expect([name, scheme]).toEqual([name, 'Bearer'])
      expect(names.length).toBeGreaterThan(0)
      expect(new Set(names).size).toBe(names.length)
    }
  },
)

verifies(
  ['rfc6750-3-challenge', 'rfc6750-3-scheme'],
  'challenges whoever registers, or reads a registration, without a token',
  async () => {
    await using world = await startConformanceWorld({ isRegistrationOpen: true })
    const url = `${world.server.issuer}/oauth/register`

    const create = await send(url, { method: 'POST', body: '{}' })
    const read = await send(`${url}/agent-alice`)
    const wrong = await send(`${url}/agent-alice`, { headers: { authorization: 'Bearer x' } })

    for (const { headers, status } of [create, read, wrong]) {
      const { parameters, scheme } = readChallenge(headers.get('www-authenticate'))

      expect([status, scheme]).toEqual([401, 'Bearer'])
      expect(parameters.length).toBeGreaterThan(0)
    }
    expect(toParameters(readChallenge(wrong.headers.get('www-authenticate')))).toMatchObject({
      error: 'invalid_token',
    })
  },
)

verifies(
  ['rfc6750-3-scope-characters', 'rfc6750-3-error-characters'],
  'has only the characters that each parameter may have',
  async () => {
    await using agent = await startTestAgent()

    for (const refused of Object.values(await collectRefusals(agent))) {
      const parameters = toParameters(readChallenge(refused.header('www-authenticate')))

      expect(parameters['scope'] ?? 'x').toMatch(
        /^[\x21\x23-\x5B\x5D-\x7E]+( [\x21\x23-\x5B\x5D-\x7E]+)*$/,
      )
      expect(parameters['error'] ?? '').toMatch(/^[\x20-\x21\x23-\x5B\x5D-\x7E]*$/)
      expect(parameters['error_description'] ?? '').toMatch(/^[\x20-\x21\x23-\x5B\x5D-\x7E]*$/)
    }
  },
)

verifies(
  'rfc6750-3.1-no-error-without-credentials',
  'tells no error to whoever sent no credential',
  async () => {
    await using agent = await startTestAgent()

    const { none } = await collectRefusals(agent)

    expect(none.status).toBe(401)
    expect(toParameters(readChallenge(none.header('www-authenticate')))).toEqual({
      resource_metadata: `${agent.url}/.well-known/oauth-protected-resource`,
    })
  },
)

verifies(
  'rfc6750-3.1-invalid-token',
  'calls a token invalid that is expired, foreign, forged or no token',
  async () => {
    await using agent = await startTestAgent()

    const { expired, foreign, forged, noToken } = await collectRefusals(agent)
    agent.deny('token-1')
    const revoked = await callTrpc(agent.url, 'whoAmI', { headers: bearer(await agent.token()) })

    for (const refused of [expired, foreign, forged, noToken, revoked]) {
      const { error } = toParameters(readChallenge(refused.header('www-authenticate')))

      expect([refused.status, error]).toEqual([401, 'invalid_token'])
    }
  },
)

verifies('rfc6750-3.1-insufficient-scope', 'names the scope that a good token lacks', async () => {
  await using agent = await startTestAgent()

  const { scope } = await collectRefusals(agent)

  expect(scope.status).toBe(403)
  expect(toParameters(readChallenge(scope.header('www-authenticate')))).toMatchObject({
    error: 'insufficient_scope',
    scope: 'billing:write',
  })
})

verifies('rfc6750-5.2-unguessable', 'makes API keys of 256 random bits', async () => {
  // Attack: one key, and when it was made, tell of the next.
  await using world = await startConformanceWorld()
  const keys = await Promise.all(
    Array.from({ length: 32 }, async () => {
      const key = { agentId: world.alice.id, scopes: ['notes:read'] }
      return (await world.admin.apiKeys.create.mutate(key)).apiKey
    }),
  )

  for (const key of keys) expect(key).toMatch(/^sk-agent-[0-9A-Za-z]{49}$/)
  const random = keys.map((key) => key.slice('sk-agent-'.length, -6))
  // 62 ** 43 is more than 2 ** 256. Of 32 keys no two have the same character anywhere near always.
  for (let place = 1; place < 43; place += 1) {
    expect(new Set(random.map((text) => text[place])).size).toBeGreaterThan(8)
  }
})

verifies('rfc6750-5.2-integrity', 'signs tokens, and takes none that was changed', async () => {
  await using world = await startConformanceWorld()
  const token = String((await askToken(world)).body['access_token'])
  const [header, payload = '', signature] = token.split('.')
  const claims = { ...decodeJwt(token), scope: 'notes:read notes:write admin:all' }
  const changed = Buffer.from(JSON.stringify(claims)).toString('base64url')

  const good = await introspect(world.server, world.bob, token)
  const forged = await introspect(world.server, world.bob, `${header}.${changed}.${signature}`)

  expect(payload).not.toBe(changed)
  expect([good.body['active'], forged.body['active']]).toEqual([true, false])
})

verifies('rfc6750-5.2-tls', 'takes neither tokens nor keys by plain http', async () => {
  expect(() => readConfig({ DEPUTY_ISSUER: 'http://as.example' })).toThrow(/must be https/)
  expect(() => createRemoteSigningKeySource('http://as.example')).toThrow(/must be https/)
})

verifies(
  'rfc6750-5.2-audience',
  'gives each token one audience, which alone takes it',
  async () => {
    await using world = await startConformanceWorld()
    const token = String((await askToken(world)).body['access_token'])

    const forBob = await introspect(world.server, world.bob, token)
    const forMallory = await introspect(world.server, world.mallory, token)

    expect(decodeJwt(token).aud).toBe(world.bob.id)
    expect([forBob.body['active'], forMallory.body['active']]).toEqual([true, false])
  },
)

verifies(
  ['rfc6750-5.3-short-lived', 'rfc6750-5.2-lifetime'],
  'makes no token that lives longer than half an hour',
  async () => {
    await using world = await startConformanceWorld()
    const { admin, alice } = world
    const update = async (accessTokenTtlSeconds: number) =>
      admin.agents.update.mutate({ id: alice.id, settings: { accessTokenTtlSeconds } })

    const byDefault = await askToken(world)
    await update(1800)
    const atMost = await askToken(world)

    expect([byDefault.body['expires_in'], atMost.body['expires_in']]).toEqual([900, 1800])
    await expect(update(1801)).rejects.toThrow(/accessTokenTtlSeconds/)
  },
)
