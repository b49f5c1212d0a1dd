import { isAgentSecret } from '@deputy/auth/protocol'
import { describe, expect, test } from 'vitest'
import { startAuthServer } from '../../test-support/auth-server.ts'
import { START_AT } from '../../test-support/clock.ts'
import { postToken, readOAuthError, send, type Answer } from '../../test-support/oauth-request.ts'
import {
  callRegistration,
  createRegistrationWorld,
  readRegistration,
} from '../../test-support/registration-world.ts'

describe('POST /oauth/register', () => {
  test('makes an agent that can get tokens at once', async () => {
    await using world = await createRegistrationWorld()

    const answer = await world.register({ client_name: 'Nightly Digest', scope: 'notes:read' })

    const client = readRegistration(answer)
    expect(answer.status).toBe(201)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(client.id).toMatch(/^nightly-digest-[0-9a-f]{16}$/)
    expect(isAgentSecret(client.secret, 'clientSecret')).toBe(true)
    expect(isAgentSecret(client.token, 'registrationAccessToken')).toBe(true)
    expect(answer.body).toMatchObject({
      client_name: 'Nightly Digest',
      client_id_issued_at: START_AT,
      client_secret_expires_at: 0,
      scope: 'notes:read',
      grant_types: ['client_credentials'],
      token_endpoint_auth_method: 'client_secret_basic',
      registration_client_uri: `${world.server.issuer}/oauth/register/${client.id}`,
    })
    const token = await postToken(world.server, client)
    expect(token.body).toMatchObject({ scope: 'notes:read' })
  })

  test('gives all that the initial access token allows when no scope is named', async () => {
    await using world = await createRegistrationWorld()

    const answer = await world.register()

    expect(answer.body).toMatchObject({ scope: 'notes:read notes:write' })
  })

  test.each([
    ['another scope than the token allows', { scope: 'agents:write' }],
    ['a scope that is none', { scope: 'a  b' }],
    ['another grant', { grant_types: ['authorization_code'] }],
    ['a response type', { response_types: ['code'] }],
    ['no authentication', { token_endpoint_auth_method: 'none' }],
    ['private_key_jwt without keys', { token_endpoint_auth_method: 'private_key_jwt' }],
    [
      'keys by value and by URL',
      { jwks: { keys: [{ kty: 'EC' }] }, jwks_uri: 'https://a.example' },
    ],
    ['a list', []],
    ['no JSON', '{"client_name":'],
  ])('refuses %s', async (_, metadata) => {
    await using world = await createRegistrationWorld()

    const answer = await world.register(metadata)

    expect(readOAuthError(answer)).toEqual({ status: 400, error: 'invalid_client_metadata' })
  })

  test('is for holders of an initial access token that is live and not used up', async () => {
    await using world = await createRegistrationWorld()
    const { token } = readRegistration(await world.register())
    await world.register()

    const answers = [
      await world.register({}, undefined),
      await world.register({}, 'ia-agent-nonsense'),
      await world.register({}, token),
    ]

    for (const answer of answers) {
      expect(readOAuthError(answer)).toEqual({ status: 401, error: 'invalid_token' })
    }
  })

  test('gives the last place to one of many that come at once', async () => {
    // Attack: an initial access token for two is used by fifty at the same moment.
    await using world = await createRegistrationWorld()

    const answers = await Promise.all(Array.from({ length: 50 }, async () => world.register()))

    expect(answers.filter(({ status }) => status === 201)).toHaveLength(2)
    const { agents } = await world.admin.agents.list.query({ limit: 200 })
    expect(agents.filter(({ id }) => id.startsWith('nightly-digest'))).toHaveLength(2)
  })

  test('has one entry of the end of its token, however often that is ended', async () => {
    await using world = await createRegistrationWorld()
    const { admin, initialAccessTokenId } = world

    const first = await admin.registrationTokens.deactivate.mutate({ initialAccessTokenId })
    world.server.clock.advance(1)
    const again = await admin.registrationTokens.deactivate.mutate({ initialAccessTokenId })

    expect(again).toEqual(first)
    const event = 'registration_token.deactivated'
    expect((await admin.audit.list.query({ event })).entries).toHaveLength(1)
  })

  test('ends in the second in which the token expires, and when it is deactivated', async () => {
    await using world = await createRegistrationWorld()
    const { initialAccessTokenId } = world
    world.server.clock.set(START_AT + 3600)
    const expired = await world.register()
    world.server.clock.set(START_AT)
    await world.admin.registrationTokens.deactivate.mutate({ initialAccessTokenId })

    const deactivated = await world.register()

    expect([expired.status, deactivated.status]).toEqual([401, 401])
  })

  test('is not there unless the server is told to take registrations', async () => {
    await using server = await startAuthServer()

    const answer = await callRegistration(`${server.issuer}/oauth/register`, {
      method: 'POST',
      body: {},
    })
    const { body } = await send(`${server.issuer}/.well-known/oauth-authorization-server`)

    expect(answer.status).toBe(404)
    expect(body).not.toHaveProperty('registration_endpoint')
  })
})

describe('one registration', () => {
  test('is read by its own client, with the token that it showed and without its secret', async () => {
    await using world = await createRegistrationWorld()
    const client = readRegistration(await world.register())

    const answer = await callRegistration(client.uri, { method: 'GET', token: client.token })

    expect(answer.status).toBe(200)
    // > registration_access_token REQUIRED. (RFC 7592 §3)
    expect(answer.body).toMatchObject({
      client_id: client.id,
      client_name: 'Nightly Digest',
      registration_access_token: client.token,
      registration_client_uri: client.uri,
    })
    expect(answer.text).not.toMatch(/cs-agent-/)
  })

  test('is replaced, but never widened', async () => {
    await using world = await createRegistrationWorld()
    const client = readRegistration(await world.register({ scope: 'notes:read' }))
    const put = async (members: object): Promise<Answer> =>
      callRegistration(client.uri, {
        method: 'PUT',
        token: client.token,
        body: { client_id: client.id, ...members },
      })

    const renamed = await put({ client_name: 'Morning Digest' })
    const widened = await put({ scope: 'notes:read notes:write' })

    expect(renamed.body).toMatchObject({
      client_name: 'Morning Digest',
      scope: 'notes:read',
      registration_access_token: client.token,
    })
    expect(readOAuthError(widened)).toEqual({ status: 400, error: 'invalid_client_metadata' })
  })

  test.each([
    ['another client_id', { client_id: 'agent-bob' }],
    ['no client_id', { client_id: undefined }],
    ['a registration access token', { registration_access_token: 'x' }],
    ['an issue time', { client_id_issued_at: 1 }],
  ])('refuses a replacement with %s', async (_, members) => {
    await using world = await createRegistrationWorld()
    const client = readRegistration(await world.register())

    const body = { client_id: client.id, ...members }
    const answer = await callRegistration(client.uri, { method: 'PUT', token: client.token, body })

    expect(readOAuthError(answer)).toEqual({ status: 400, error: 'invalid_client_metadata' })
  })

  test('slows down its client, which may not fill the trail, and whoever guesses at its token', async () => {
    // Attack: each replacement is written, audited and told to every verifier.
    await using world = await createRegistrationWorld()
    const client = readRegistration(await world.register())
    const other = readRegistration(await world.register())
    await world.admin.agents.update.mutate({ id: client.id, settings: { rateLimitTier: 'low' } })
    const replace = { method: 'PUT', token: client.token, body: { client_id: client.id } }
    const guess = { method: 'GET', token: 'ra-agent-guessed' }

    const statuses: number[] = []
    for (let time = 0; time < 102; time += 1) {
      statuses.push((await callRegistration(client.uri, replace)).status)
    }
    const guesses: number[] = []
    for (let time = 0; time < 12; time += 1) {
      guesses.push((await callRegistration(other.uri, guess)).status)
    }
    const good = await callRegistration(other.uri, { method: 'GET', token: other.token })

    expect(statuses).toEqual([...Array<number>(100).fill(200), 429, 429])
    expect(guesses).toEqual([...Array<number>(10).fill(401), 429, 429])
    expect(good.status).toBe(200)
  })

  test('is deleted with all that the agent holds', async () => {
    await using world = await createRegistrationWorld()
    const client = readRegistration(await world.register())

    const answer = await callRegistration(client.uri, { method: 'DELETE', token: client.token })

    expect([answer.status, answer.text]).toEqual([204, ''])
    expect((await postToken(world.server, client)).status).toBe(401)
    expect(
      (await callRegistration(client.uri, { method: 'GET', token: client.token })).status,
    ).toBe(401)
  })

  test("is out of reach of another client's token", async () => {
    // Attack: a registered client takes over another's registration by its URL.
    await using world = await createRegistrationWorld()
    const alice = readRegistration(await world.register())
    const mallory = readRegistration(await world.register())

    const answers = await Promise.all(
      ['GET', 'DELETE'].map(async (method) =>
        callRegistration(alice.uri, { method, token: mallory.token }),
      ),
    )

    expect(answers.map(({ status }) => status)).toEqual([401, 401])
    expect((await postToken(world.server, alice)).status).toBe(200)
  })
})
