// Independent clients drive what the server has beside the client credentials grant: oauth4webapi for keys,
// proofs, revocation and registration, openid-client for the whole way.
import { generateKeyPair } from 'jose'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { oauth } from '../../../test/support/independent-client.ts'
import { openid } from '../../../test/support/independent-openid-client.ts'
import { createSettableClock } from '../../../test/support/settable-clock.ts'
import { connectAdmin, enrollCast } from '../test-support/admin-client.ts'
import { startAuthServer } from '../test-support/auth-server.ts'

/** The one concession: these tests run on loopback without TLS. */
const OPTIONS = { [oauth.allowInsecureRequests]: true }

/** A server with the machine's time, which the clients read. */
async function setUp() {
  await using stack = new AsyncDisposableStack()
  const clock = createSettableClock(Math.floor(Date.now() / 1000))
  const server = stack.use(await startAuthServer({ clock, isRegistrationOpen: true }))
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

describe('openid-client', () => {
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
