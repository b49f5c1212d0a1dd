// An issuer with a path, as one of several behind one host: everything is below the path, and the metadata
// where RFC 8414 §3.1 puts it.
import { createIssuerAuthenticator } from '@deputy/auth'
import { expect, test } from 'vitest'
import { oauth } from '../../../test/support/independent-client.ts'
import { createSettableClock } from '../../../test/support/settable-clock.ts'
import { connectAdmin, enrollCast } from '../test-support/admin-client.ts'
import { startAuthServer } from '../test-support/auth-server.ts'
import { basic, getToken, send } from '../test-support/oauth-request.ts'

/** The one concession: these tests run on loopback without TLS. */
const OPTIONS = { [oauth.allowInsecureRequests]: true }

async function setUp(issuerPath: string) {
  await using stack = new AsyncDisposableStack()
  const clock = createSettableClock(Math.floor(Date.now() / 1000))
  const server = stack.use(await startAuthServer({ clock, issuerPath, isRegistrationOpen: true }))
  const admin = stack.use(connectAdmin(server))
  const cast = await enrollCast(admin)
  const resources = stack.move()
  return { server, admin, ...cast, [Symbol.asyncDispose]: async () => resources.disposeAsync() }
}

test.each(['/tenant', '/a/b', '/tenant/'])(
  'an independent client discovers the issuer %s and uses each endpoint',
  async (issuerPath) => {
    await using world = await setUp(issuerPath)
    const { alice, bob, server } = world
    const issuer = new URL(server.issuer)
    const client = { client_id: alice.id }
    const authenticate = oauth.ClientSecretBasic(alice.secret)
    const DPoP = oauth.DPoP({}, await oauth.generateKeyPair('ES256'))

    const discovered = await oauth.discoveryRequest(issuer, { ...OPTIONS, algorithm: 'oauth2' })
    const metadata = await oauth.processDiscoveryResponse(issuer, discovered)
    const parameters = new URLSearchParams({ audience: bob.id })
    const granted = await oauth.clientCredentialsGrantRequest(
      metadata,
      client,
      authenticate,
      parameters,
      { ...OPTIONS, DPoP },
    )
    const { access_token: token, token_type: type } = await oauth.processClientCredentialsResponse(
      metadata,
      client,
      granted,
    )
    const ask = async () =>
      send(metadata.introspection_endpoint ?? '', {
        method: 'POST',
        headers: basic(bob),
        body: new URLSearchParams({ token }),
      })
    const before = await ask()
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(metadata, client, authenticate, token, OPTIONS),
    )
    const after = await ask()

    expect(metadata.token_endpoint).toBe(`${server.issuer.replace(/\/$/, '')}/oauth/token`)
    expect(type).toBe('dpop')
    expect([before.body['active'], after.body['active']]).toEqual([true, false])
    expect((await send(metadata.jwks_uri ?? '')).body).toHaveProperty('keys.0.kid')
  },
)

test('an agent that verifies tokens itself finds the keys', async () => {
  await using world = await setUp('/tenant')
  const { alice, bob, server } = world
  const token = await getToken(server, alice)
  await using authenticator = createIssuerAuthenticator({
    agentId: bob.id,
    issuer: server.issuer,
    clientSecret: bob.secret,
    clock: server.clock,
  })

  const verified = await authenticator.authenticate((name) =>
    name === 'authorization' ? `Bearer ${token}` : undefined,
  )

  expect(verified).toMatchObject({ ok: true, value: { principal: { agentId: alice.id } } })
})

test('does not answer for an issuer of another path, nor of none', async () => {
  // Attack: metadata of one tenant is taken for another's.
  await using world = await setUp('/tenant')
  const { origin } = new URL(world.server.issuer)

  const other = await fetch(`${origin}/.well-known/oauth-authorization-server/other`)
  const discovered = await oauth.discoveryRequest(new URL(origin), {
    ...OPTIONS,
    algorithm: 'oauth2',
  })
  const taken = oauth.processDiscoveryResponse(new URL(origin), discovered)

  expect(other.status).toBe(404)
  await expect(taken).rejects.toThrow(/issuer/)
})
