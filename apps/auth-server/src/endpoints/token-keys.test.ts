// Keys at the token endpoint, over HTTP: clients that authenticate by them (RFC 7523) and tokens that are
// bound to them (RFC 9449).
import { AccessTokenClaims } from '@deputy/auth/protocol'
import { CompactSign, decodeJwt } from 'jose'
import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createProofKey, signProof, type ProofKey } from '../../../../test/support/test-proof.ts'
import { connectAdmin, enrollCast } from '../../test-support/admin-client.ts'
import { startAuthServer, type TestServerOptions } from '../../test-support/auth-server.ts'
import {
  basic,
  introspect,
  postToken,
  readOAuthError,
  send,
  type Answer,
} from '../../test-support/oauth-request.ts'
import { JWT_ASSERTION_TYPE } from '../clients/presented-credentials.ts'

async function setUp(options: TestServerOptions = {}) {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startAuthServer(options))
  const admin = stack.use(connectAdmin(server))
  const cast = await enrollCast(admin)
  const key = await createProofKey()
  const agentId = cast.alice.id
  await admin.clientKeys.create.mutate({ agentId, jwk: { ...key.publicJwk } })
  const resources = stack.move()

  const assert = async (
    members: Readonly<Record<string, unknown>> = {},
    signer: ProofKey = key,
  ): Promise<string> => {
    const now = server.clock.now()
    const claims = { iss: agentId, sub: agentId, aud: server.issuer, exp: now + 60, iat: now }
    const payload = JSON.stringify({ ...claims, jti: randomUUID(), ...members })
    return new CompactSign(new TextEncoder().encode(payload))
      .setProtectedHeader({ alg: signer.algorithm })
      .sign(signer.privateKey)
  }
  const post = async (assertion: string): Promise<Answer> =>
    postToken(server, undefined, {
      client_assertion_type: JWT_ASSERTION_TYPE,
      client_assertion: assertion,
    })
  const prove = async (nonce?: string, signer: ProofKey = key): Promise<string> =>
    signProof(signer, {
      htm: 'POST',
      htu: `${server.issuer}/oauth/token`,
      iat: server.clock.now(),
      ...(nonce === undefined ? {} : { nonce }),
    })
  const postWithProof = async (proof: string): Promise<Answer> =>
    send(`${server.issuer}/oauth/token`, {
      method: 'POST',
      headers: { ...basic(cast.alice), dpop: proof },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
  const close = async (): Promise<void> => resources.disposeAsync()
  return {
    server,
    admin,
    ...cast,
    key,
    assert,
    post,
    prove,
    postWithProof,
    [Symbol.asyncDispose]: close,
  }
}

describe('private_key_jwt', () => {
  test('gets a token for an assertion that is signed with a key of the client', async () => {
    await using world = await setUp()

    const answer = await world.post(await world.assert())

    expect(answer.status).toBe(200)
    const { clientKeys } = await world.admin.clientKeys.list.query({ agentId: world.alice.id })
    expect(clientKeys[0]?.lastUsedAt).toBe(world.server.clock.now())
  })

  test('takes an assertion once', async () => {
    // Attack: an assertion that was read off a proxy is sent again.
    await using world = await setUp()
    const assertion = await world.assert()
    await world.post(assertion)

    const answers = await Promise.all([world.post(assertion), world.post(assertion)])

    for (const answer of answers) {
      expect(readOAuthError(answer)).toEqual({ status: 401, error: 'invalid_client' })
    }
  })

  test('tells neither who is unknown from who signs wrongly, nor from who was ended', async () => {
    // Attack: telling the answers apart finds out which agents there are.
    await using world = await setUp()
    const stranger = await createProofKey()
    const ghost = { iss: 'agent-ghost', sub: 'agent-ghost' }
    const keyless = { iss: world.mallory.id, sub: world.mallory.id }

    const answers = [
      await world.post(await world.assert({}, stranger)),
      await world.post(await world.assert(ghost)),
      await world.post(await world.assert(keyless)),
    ]
    await world.admin.agents.deactivate.mutate({ id: world.alice.id })
    answers.push(await world.post(await world.assert()))

    expect(new Set(answers.map(({ status, text }) => `${String(status)} ${text}`)).size).toBe(1)
    expect(answers[0]?.status).toBe(401)
  })

  test('stops with the key, at once', async () => {
    await using world = await setUp()
    const { clientKeys } = await world.admin.clientKeys.list.query({ agentId: world.alice.id })
    const clientKeyId = clientKeys[0]?.clientKeyId ?? ''

    await world.admin.clientKeys.deactivate.mutate({ clientKeyId })

    expect((await world.post(await world.assert())).status).toBe(401)
  })

  test('refuses an assertion beside a secret', async () => {
    await using world = await setUp()

    const answer = await postToken(world.server, world.alice, {
      client_assertion_type: JWT_ASSERTION_TYPE,
      client_assertion: await world.assert(),
      grant_type: 'client_credentials',
    })

    expect(readOAuthError(answer)).toEqual({ status: 400, error: 'invalid_request' })
  })
})

describe('DPoP at the token endpoint', () => {
  test('binds the token to the key of the proof', async () => {
    await using world = await setUp()

    const answer = await world.postWithProof(await world.prove())

    expect(answer.body).toMatchObject({ token_type: 'DPoP' })
    const token = String(answer.body['access_token'])
    expect(AccessTokenClaims.parse(decodeJwt(token)).cnf).toEqual({ jkt: world.key.jkt })
    expect((await introspect(world.server, world.bob, token)).body).toMatchObject({
      active: true,
      token_type: 'DPoP',
      cnf: { jkt: world.key.jkt },
    })
  })

  test('takes a proof once', async () => {
    // Attack: a proof that was caught is used to bind another token.
    await using world = await setUp()
    const proof = await world.prove()
    await world.postWithProof(proof)

    const answer = await world.postWithProof(proof)

    expect(readOAuthError(answer)).toEqual({ status: 400, error: 'invalid_dpop_proof' })
  })

  test('refuses a client that must bind its tokens and does not', async () => {
    await using world = await setUp()
    const settings = { dpopBoundAccessTokens: true }
    await world.admin.agents.update.mutate({ id: world.alice.id, settings })

    const without = await postToken(world.server, world.alice)
    const proven = await world.postWithProof(await world.prove())

    expect(readOAuthError(without)).toEqual({ status: 400, error: 'invalid_dpop_proof' })
    expect(proven.status).toBe(200)
  })

  test('asks for a nonce where the server issues them, and takes it', async () => {
    await using world = await setUp({ dpopNonceSecret: 'a'.repeat(43) })

    const first = await world.postWithProof(await world.prove())
    const nonce = first.headers.get('dpop-nonce') ?? ''
    const second = await world.postWithProof(await world.prove(nonce))

    expect(readOAuthError(first)).toEqual({ status: 400, error: 'use_dpop_nonce' })
    expect(nonce).not.toBe('')
    expect(second.status).toBe(200)
    expect(second.headers.get('dpop-nonce')).toBe(nonce)
  })

  test('shuts the admin API to a bound token without its key', async () => {
    // Attack: the operator's bound token is stolen, and sent as a bearer token.
    await using world = await setUp()
    const { issuer, operator } = world.server
    const bound = await send(`${issuer}/oauth/token`, {
      method: 'POST',
      headers: { ...basic(operator), dpop: await world.prove() },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
    const token = String(bound.body['access_token'])

    const answer = await fetch(`${issuer}/trpc/agents.list`, {
      headers: { authorization: `Bearer ${token}` },
    })

    expect(answer.status).toBe(401)
    expect(await answer.text()).toContain('token_binding_missing')
  })
})
