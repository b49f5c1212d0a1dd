// Independent clients drive what the server has beside the client credentials grant: oauth4webapi for keys,
// proofs, revocation and registration, openid-client for the whole way.
import { decodeJwt, generateKeyPair } from 'jose'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { oauth } from '../../../test/support/independent-client.ts'
import { openid } from '../../../test/support/independent-openid-client.ts'
import { createSettableClock } from '../../../test/support/settable-clock.ts'
import { connectAdmin, enroll, enrollCast } from '../test-support/admin-client.ts'
import { startAuthServer, type TestServerOptions } from '../test-support/auth-server.ts'
import { getToken } from '../test-support/oauth-request.ts'

/** The one concession: these tests run on loopback without TLS. */
const OPTIONS = { [oauth.allowInsecureRequests]: true }

/** A server with the machine's time, which the clients read. */
async function setUp(options: TestServerOptions = {}) {
  await using stack = new AsyncDisposableStack()
  const clock = createSettableClock(Math.floor(Date.now() / 1000))
  const server = stack.use(await startAuthServer({ clock, isRegistrationOpen: true, ...options }))
  const admin = stack.use(connectAdmin(server))
  const cast = await enrollCast(admin)
  const issuer = new URL(server.issuer)
  const response = await oauth.discoveryRequest(issuer, { ...OPTIONS, algorithm: 'oauth2' })
  const metadata = await oauth.processDiscoveryResponse(issuer, response)
  const resources = stack.move()
  const close = async (): Promise<void> => resources.disposeAsync()
  return { server, admin, issuer, metadata, ...cast, [Symbol.asyncDispose]: close }
}

const PARAMETERS = new URLSearchParams({ audience: 'agent-bob', scope: 'notes:read' })

describe('oauth4webapi', () => {
  test('authenticates by a key of its own, and binds its token to another', async () => {
    await using world = await setUp()
    const { admin, alice, metadata } = world
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const jwk = await crypto.subtle.exportKey('jwk', publicKey)
    await admin.clientKeys.create.mutate({ agentId: alice.id, jwk: { ...jwk } })
    const client = { client_id: alice.id }
    const DPoP = oauth.DPoP({}, await oauth.generateKeyPair('ES256'))

    const response = await oauth.clientCredentialsGrantRequest(
      metadata,
      client,
      oauth.PrivateKeyJwt(privateKey),
      PARAMETERS,
      { ...OPTIONS, DPoP },
    )
    const answer = await oauth.processClientCredentialsResponse(metadata, client, response)

    expect(answer).toMatchObject({ token_type: 'dpop', scope: 'notes:read' })
  })

  test('revokes a token', async () => {
    await using world = await setUp()
    const { alice, bob, metadata } = world
    const client = { client_id: alice.id }
    const authenticate = oauth.ClientSecretBasic(alice.secret)
    const response = await oauth.clientCredentialsGrantRequest(
      metadata,
      client,
      authenticate,
      PARAMETERS,
      OPTIONS,
    )
    const { access_token: token } = await oauth.processClientCredentialsResponse(
      metadata,
      client,
      response,
    )

    const revoked = await oauth.revocationRequest(metadata, client, authenticate, token, OPTIONS)
    await oauth.processRevocationResponse(revoked)

    const introspected = await oauth.introspectionRequest(
      metadata,
      { client_id: bob.id },
      oauth.ClientSecretBasic(bob.secret),
      token,
      OPTIONS,
    )
    const answer = await oauth.processIntrospectionResponse(
      metadata,
      { client_id: bob.id },
      introspected,
    )
    expect(answer).toEqual({ active: false })
  })

  test('registers a client, which then gets a token', async () => {
    await using world = await setUp()
    const { admin, bob, metadata, server } = world
    const { initialAccessToken } = await admin.registrationTokens.create.mutate({
      scopes: ['notes:read'],
      audiences: [bob.id],
      expiresAt: server.clock.now() + 60,
    })

    const response = await oauth.dynamicClientRegistrationRequest(
      metadata,
      { client_name: 'Digest', redirect_uris: [] },
      { ...OPTIONS, initialAccessToken },
    )
    const client = await oauth.processDynamicClientRegistrationResponse(response)

    const granted = await oauth.clientCredentialsGrantRequest(
      metadata,
      client,
      oauth.ClientSecretBasic(z.string().parse(client.client_secret)),
      PARAMETERS,
      OPTIONS,
    )
    const answer = await oauth.processClientCredentialsResponse(metadata, client, granted)
    expect(answer.scope).toBe('notes:read')
  })
})

/** Alice has a key of her own, and so has Bob; either way to authenticate with it. */
async function enrollKeys(world: Awaited<ReturnType<typeof setUp>>) {
  const enrollKey = async (agentId: string) => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const jwk = await crypto.subtle.exportKey('jwk', publicKey)
    await world.admin.clientKeys.create.mutate({ agentId, jwk: { ...jwk } })
    return privateKey
  }
  return { alice: await enrollKey(world.alice.id), bob: await enrollKey(world.bob.id) }
}

test('oauth4webapi authenticates by a key at the endpoints for introspection and revocation too', async () => {
  await using world = await setUp()
  const { alice, bob, metadata } = world
  const keys = await enrollKeys(world)
  const client = { client_id: alice.id }
  const authenticate = oauth.PrivateKeyJwt(keys.alice)
  const granted = await oauth.clientCredentialsGrantRequest(
    metadata,
    client,
    authenticate,
    PARAMETERS,
    OPTIONS,
  )
  const { access_token: token } = await oauth.processClientCredentialsResponse(
    metadata,
    client,
    granted,
  )
  const ask = async () => {
    const asker = { client_id: bob.id }
    const byKey = oauth.PrivateKeyJwt(keys.bob)
    const answer = await oauth.introspectionRequest(metadata, asker, byKey, token, OPTIONS)
    return (await oauth.processIntrospectionResponse(metadata, asker, answer)).active
  }

  const before = await ask()
  const revoked = await oauth.revocationRequest(metadata, client, authenticate, token, OPTIONS)
  await oauth.processRevocationResponse(revoked)

  expect([before, await ask()]).toEqual([true, false])
})

test('oauth4webapi takes the nonce that the server asks for, and comes back with it', async () => {
  const dpopNonceSecret = Buffer.alloc(32, 7).toString('base64url')
  await using world = await setUp({ dpopNonceSecret })
  const { alice, metadata } = world
  const client = { client_id: alice.id }
  const DPoP = oauth.DPoP({}, await oauth.generateKeyPair('ES256'))
  const ask = async () => {
    const response = await oauth.clientCredentialsGrantRequest(
      metadata,
      client,
      oauth.ClientSecretPost(alice.secret),
      PARAMETERS,
      { ...OPTIONS, DPoP },
    )
    return oauth.processClientCredentialsResponse(metadata, client, response)
  }

  const first = await ask().catch((error: unknown) => error)
  const second = await ask()

  expect(oauth.isDPoPNonceError(first)).toBe(true)
  expect(second.token_type).toBe('dpop')
})

/** Bob may call Carol, for callers that let their work be handed on to her. */
async function setUpChain() {
  await using stack = new AsyncDisposableStack()
  const world = stack.use(await setUp())
  const { admin, alice, bob } = world
  const carol = await enroll(admin, 'agent-carol', { scopesSupported: ['notes:index'] })
  const update = async (id: string, settings: object) =>
    admin.agents.update.mutate({ id, settings })
  await update(bob.id, {
    scopes: ['notes:index'],
    audiences: [carol.id],
    delegation: { to: [carol.id], scopes: ['notes:index'], maxDepth: 1 },
  })
  await update(alice.id, {
    scopes: ['notes:read', 'notes:index'],
    audiences: [bob.id, carol.id],
    delegation: { to: [bob.id, carol.id], scopes: ['notes:index'], maxDepth: 2 },
  })
  const resources = stack.move()
  const close = async (): Promise<void> => resources.disposeAsync()
  return { ...world, carol, [Symbol.asyncDispose]: close }
}

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

test('oauth4webapi exchanges a token by its request for any grant type', async () => {
  await using world = await setUpChain()
  const { alice, bob, carol, metadata, server } = world
  const subjectToken = await getToken(server, alice, {
    audience: bob.id,
    scope: 'notes:read notes:index',
  })

  const response = await oauth.genericTokenEndpointRequest(
    metadata,
    { client_id: bob.id },
    oauth.ClientSecretBasic(bob.secret),
    TOKEN_EXCHANGE,
    new URLSearchParams({
      subject_token: subjectToken,
      subject_token_type: ACCESS_TOKEN,
      audience: carol.id,
      scope: 'notes:index',
    }),
    OPTIONS,
  )
  const answer = await oauth.processGenericTokenEndpointResponse(
    metadata,
    { client_id: bob.id },
    response,
  )

  expect(answer).toMatchObject({ issued_token_type: ACCESS_TOKEN, scope: 'notes:index' })
  expect(decodeJwt(answer.access_token)).toMatchObject({
    sub: alice.id,
    aud: carol.id,
    act: { sub: bob.id },
  })
})

describe('openid-client', () => {
  test('binds its tokens to a key, with the nonce that is asked for', async () => {
    const dpopNonceSecret = Buffer.alloc(32, 7).toString('base64url')
    await using world = await setUp({ dpopNonceSecret })
    const { alice, issuer } = world
    const keys = await enrollKeys(world)
    const config = await openid.discovery(
      issuer,
      alice.id,
      undefined,
      openid.PrivateKeyJwt(keys.alice),
      { algorithm: 'oauth2', execute: [openid.allowInsecureRequests] },
    )
    const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))

    const answer = await openid.clientCredentialsGrant(config, PARAMETERS, { DPoP })

    expect(answer).toMatchObject({ token_type: 'dpop', scope: 'notes:read' })
  })

  test('exchanges a token', async () => {
    await using world = await setUpChain()
    const { alice, bob, carol, issuer, server } = world
    const subjectToken = await getToken(server, alice, {
      audience: bob.id,
      scope: 'notes:read notes:index',
    })
    const config = await openid.discovery(
      issuer,
      bob.id,
      undefined,
      openid.ClientSecretPost(bob.secret),
      { algorithm: 'oauth2', execute: [openid.allowInsecureRequests] },
    )

    const answer = await openid.genericGrantRequest(config, TOKEN_EXCHANGE, {
      subject_token: subjectToken,
      subject_token_type: ACCESS_TOKEN,
      audience: carol.id,
    })

    expect(decodeJwt(answer.access_token)).toMatchObject({ sub: alice.id, act: { sub: bob.id } })
  })

  test('discovers, gets a token, introspects it and revokes it', async () => {
    await using world = await setUp()
    const { alice, bob, issuer } = world
    const discover = async ({ id, secret }: typeof alice) =>
      openid.discovery(issuer, id, undefined, openid.ClientSecretBasic(secret), {
        algorithm: 'oauth2',
        execute: [openid.allowInsecureRequests],
      })
    const [asAlice, asBob] = [await discover(alice), await discover(bob)]

    const { access_token: token, ...answer } = await openid.clientCredentialsGrant(
      asAlice,
      PARAMETERS,
    )
    const before = await openid.tokenIntrospection(asBob, token)
    await openid.tokenRevocation(asAlice, token)
    const after = await openid.tokenIntrospection(asBob, token)

    expect(answer).toMatchObject({ token_type: 'bearer', scope: 'notes:read' })
    expect(before).toMatchObject({ active: true, client_id: alice.id })
    expect(after).toEqual({ active: false })
  })
})
