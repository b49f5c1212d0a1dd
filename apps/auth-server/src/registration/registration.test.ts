// What a client may change of its own registration (RFC 7592 §2.2), and what it may not: it replaces what it said
// of itself, never what an operator decided.
import { describe, expect, test } from 'vitest'
import { createProofKey, type ProofKey } from '../../../../test/support/test-proof.ts'
import { signClientAssertion } from '../../../../test/conformance/client-assertion.ts'
import { postToken, send, type Answer } from '../../test-support/oauth-request.ts'
import {
  callRegistration,
  createRegistrationWorld,
  readRegistration,
} from '../../test-support/registration-world.ts'

async function setUp(metadata: object = {}) {
  const world = await createRegistrationWorld()
  const registered = await world.register({ client_name: 'Nightly Digest', ...metadata })
  const client = readRegistration(registered)
  const put = async (members: object): Promise<Answer> =>
    callRegistration(client.uri, {
      method: 'PUT',
      token: client.token,
      body: { client_id: client.id, ...members },
    })
  const assert = async (key: ProofKey): Promise<number> => {
    const assertion = await signClientAssertion(world.server, key, { client: client.id })
    const body = new URLSearchParams({ grant_type: 'client_credentials', ...assertion })
    return (await send(`${world.server.issuer}/oauth/token`, { method: 'POST', body })).status
  }
  return { ...world, client, put, assert }
}

const withKeys = (...keys: readonly ProofKey[]) => ({
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: keys.map(({ publicJwk }) => publicJwk) },
})

describe('a client that replaces its registration', () => {
  test('stays under what an operator decided about it', async () => {
    // Attack: an operator puts a client that registered itself into a lower tier, shortens its tokens and has them
    // bound to a key. The client sends its registration anew, and has the defaults again.
    await using world = await setUp()
    const { id } = world.client
    const settings = {
      description: 'watched',
      rateLimitTier: 'low',
      accessTokenTtlSeconds: 60,
      dpopBoundAccessTokens: true,
      scopePolicy: 'partial' as const,
      approvalScopes: ['notes:write'],
      delegation: { to: [world.bob.id], maxDepth: 1 },
      metadata: { ticket: 'OPS-7' },
    }
    await world.admin.agents.update.mutate({ id, settings })

    const answer = await world.put({ client_name: 'Morning Digest' })

    expect(answer.status).toBe(200)
    const agent = await world.admin.agents.get.query({ id })
    expect(agent).toMatchObject({ name: 'Morning Digest', ...settings })
    expect(answer.body).toMatchObject({ dpop_bound_access_tokens: true })
  })

  test('turns off again what it turned on itself', async () => {
    await using world = await setUp({ dpop_bound_access_tokens: true })

    const { body } = await world.put({ dpop_bound_access_tokens: false })

    expect(body).toMatchObject({ dpop_bound_access_tokens: false })
    const agent = await world.admin.agents.get.query({ id: world.client.id })
    expect(agent).toMatchObject({ dpopBoundAccessTokens: false })
  })

  test('leaves none of its former keys behind, wherever the next ones are', async () => {
    // Attack: a key was stolen. The client moves to a jwks_uri, and the thief goes on with the key by value.
    const stolen = await createProofKey()
    await using world = await setUp(withKeys(stolen))
    const before = await world.assert(stolen)

    const answer = await world.put({
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: 'https://keys.example/jwks',
    })

    expect([before, answer.status]).toEqual([200, 200])
    expect(await world.assert(stolen)).toBe(401)
  })

  test('leaves no secret behind when it goes over to keys', async () => {
    // Attack: a secret was stolen, and the client now authenticates by a key. The thief goes on with the secret.
    const key = await createProofKey()
    await using world = await setUp()
    const before = await postToken(world.server, world.client)

    await world.put(withKeys(key))

    expect([before.status, await world.assert(key)]).toEqual([200, 200])
    expect((await postToken(world.server, world.client)).status).toBe(401)
  })

  test('gets a secret when it goes back to one', async () => {
    const key = await createProofKey()
    await using world = await setUp(withKeys(key))

    const answer = await world.put({ token_endpoint_auth_method: 'client_secret_basic' })

    const secret = String(answer.body['client_secret'])
    expect(answer.body).toMatchObject({ client_secret_expires_at: 0 })
    expect((await postToken(world.server, { id: world.client.id, secret })).status).toBe(200)
    expect(await world.assert(key)).toBe(401)
  })

  test('keeps a key, and what was obtained with it, when another one is laid beside it', async () => {
    // How keys are rotated without a gap: the next one is published while the present one still signs.
    const [present, next] = [await createProofKey(), await createProofKey()]
    await using world = await setUp(withKeys(present))
    const { clientKeys: before } = await world.admin.clientKeys.list.query({
      agentId: world.client.id,
    })

    await world.put(withKeys(present, next))

    const { clientKeys } = await world.admin.clientKeys.list.query({ agentId: world.client.id })
    expect(clientKeys.filter(({ active }) => active)).toHaveLength(2)
    expect(
      clientKeys.find(({ clientKeyId }) => clientKeyId === before[0]?.clientKeyId),
    ).toMatchObject({ active: true })
    expect([await world.assert(present), await world.assert(next)]).toEqual([200, 200])
  })

  test('does not bring back a key that an operator ended', async () => {
    // Attack: a key was stolen, and an operator ended it. The client, which knows nothing of it, lays a key beside it.
    const [stolen, next] = [await createProofKey(), await createProofKey()]
    await using world = await setUp(withKeys(stolen))
    const agentId = world.client.id
    const { clientKeys } = await world.admin.clientKeys.list.query({ agentId })
    await world.admin.clientKeys.deactivate.mutate({
      clientKeyId: clientKeys[0]?.clientKeyId ?? '',
    })

    await world.put(withKeys(stolen, next))

    expect([await world.assert(stolen), await world.assert(next)]).toEqual([401, 200])
  })

  test('has each scope once, however often it names it', async () => {
    // Attack: a client names one scope more often than an agent may have scopes, and no list of agents that it is in
    // can be read any more.
    await using world = await setUp()
    const scope = Array.from({ length: 150 }, () => 'notes:read').join(' ')

    const answer = await world.put({ scope })
    const { body, status } = await world.register({ client_name: 'Second', scope })

    expect([answer.status, answer.body['scope']]).toEqual([200, 'notes:read'])
    expect([status, body['scope']]).toEqual([201, 'notes:read'])
    const { agents } = await world.admin.agents.list.query({})
    const scopes = agents.find(({ id }) => id === world.client.id)?.scopes
    expect(scopes).toEqual(['notes:read'])
  })

  test('has no more notes than an agent may have', async () => {
    await using world = await setUp()
    const { id } = world.client
    const metadata = Object.fromEntries(
      Array.from({ length: 32 }, (_, at) => [`n${String(at)}`, '']),
    )
    await world.admin.agents.update.mutate({ id, settings: { metadata } })

    const answer = await world.put({ software_id: 'digest', software_version: '2' })

    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_client_metadata' } })
    expect(await world.admin.agents.get.query({ id })).toMatchObject({ metadata })
  })

  test('keeps its tokens where its keys and its secret stay as they are', async () => {
    const key = await createProofKey()
    await using world = await setUp(withKeys(key))

    const answer = await world.put({ ...withKeys(key), client_name: 'Morning Digest' })

    expect(answer.body).not.toHaveProperty('client_secret')
    expect(await world.assert(key)).toBe(200)
    const { clientKeys } = await world.admin.clientKeys.list.query({ agentId: world.client.id })
    expect(clientKeys).toMatchObject([{ active: true }])
  })
})
