// An independent client, oauth4webapi, drives the server unchanged: it validates every answer itself.
import { describe, expect, test } from 'vitest'
import { oauth } from '../../../test/support/independent-client.ts'
import { connectAdmin, enrollCast } from '../test-support/admin-client.ts'
import { startAuthServer, type Client } from '../test-support/auth-server.ts'

/** The one concession: these tests run on loopback without TLS. */
const OPTIONS = { [oauth.allowInsecureRequests]: true }

async function setUp() {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startAuthServer())
  const cast = await enrollCast(stack.use(connectAdmin(server)))
  const issuer = new URL(server.issuer)
  const response = await oauth.discoveryRequest(issuer, { ...OPTIONS, algorithm: 'oauth2' })
  const metadata = await oauth.processDiscoveryResponse(issuer, response)
  const resources = stack.move()
  return { metadata, ...cast, [Symbol.asyncDispose]: async () => resources.disposeAsync() }
}

async function requestToken(
  metadata: oauth.AuthorizationServer,
  client: Client,
  authenticate: oauth.ClientAuth,
) {
  const parameters = { audience: 'agent-bob', scope: 'notes:read' }
  const response = await oauth.clientCredentialsGrantRequest(
    metadata,
    { client_id: client.id },
    authenticate,
    new URLSearchParams(parameters),
    OPTIONS,
  )
  return oauth.processClientCredentialsResponse(metadata, { client_id: client.id }, response)
}

describe.each([
  ['client_secret_basic', oauth.ClientSecretBasic],
  ['client_secret_post', oauth.ClientSecretPost],
] as const)('an independent client with %s', (method, authenticateWith) => {
  test('finds the method in the metadata, for both endpoints', async () => {
    await using world = await setUp()

    const { metadata } = world

    expect(metadata.token_endpoint_auth_methods_supported).toContain(method)
    expect(metadata.introspection_endpoint_auth_methods_supported).toContain(method)
  })

  test('gets a token', async () => {
    await using world = await setUp()
    const { alice, metadata } = world

    const answer = await requestToken(metadata, alice, authenticateWith(alice.secret))

    expect(answer).toMatchObject({ token_type: 'bearer', expires_in: 900, scope: 'notes:read' })
  })

  test('introspects a token', async () => {
    await using world = await setUp()
    const { alice, bob, metadata } = world
    const { access_token: token } = await requestToken(
      metadata,
      alice,
      authenticateWith(alice.secret),
    )

    const response = await oauth.introspectionRequest(
      metadata,
      { client_id: bob.id },
      authenticateWith(bob.secret),
      token,
      OPTIONS,
    )
    const answer = await oauth.processIntrospectionResponse(
      metadata,
      { client_id: bob.id },
      response,
    )

    expect(answer).toMatchObject({ active: true, client_id: 'agent-alice', aud: 'agent-bob' })
  })

  test('understands why it is refused', async () => {
    await using world = await setUp()
    const { alice, metadata } = world

    const answer = requestToken(metadata, alice, authenticateWith('wrong'))

    await expect(answer).rejects.toMatchObject({
      status: 401,
      cause: [{ scheme: 'basic', parameters: { realm: 'deputy' } }],
    })
  })

  test('understands which scope it may not have', async () => {
    await using world = await setUp()
    const { bob, metadata } = world

    const answer = requestToken(metadata, bob, authenticateWith(bob.secret))

    await expect(answer).rejects.toMatchObject({ status: 400, error: 'invalid_target' })
  })
})

test('a resource server checks a token with the independent client', async () => {
  await using world = await setUp()
  const { alice, metadata } = world
  const { access_token: token } = await requestToken(
    metadata,
    alice,
    oauth.ClientSecretBasic(alice.secret),
  )
  const request = new Request('http://bob.invalid/', {
    headers: { authorization: `Bearer ${token}` },
  })

  // It reads the machine's clock; the token was made by the test's, which is ahead.
  const validated = oauth.validateJwtAccessToken(metadata, request, 'agent-bob', {
    ...OPTIONS,
    [oauth.clockSkew]: 1_800_000_000 - Math.floor(Date.now() / 1000),
  })

  await expect(validated).resolves.toMatchObject({ client_id: 'agent-alice', scope: 'notes:read' })
})
