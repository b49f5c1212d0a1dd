import { decodeProtectedHeader } from 'jose'
import { expect, test } from 'vitest'
import { createSettableClock } from '../../../test/support/settable-clock.ts'
import { createTemporaryFolder } from '../../../test/support/temporary-folder.ts'
import { connectAdmin, enrollCast } from '../test-support/admin-client.ts'
import { createPlace, startAt, type Place, type TestServer } from '../test-support/auth-server.ts'
import { getToken, introspect, send } from '../test-support/oauth-request.ts'

/** Runs a server in the place for as long as the work takes. */
async function withServer<Value>(
  place: Place,
  work: (server: TestServer) => Promise<Value>,
  clock = createSettableClock(),
): Promise<Value> {
  await using server = await startAt(place, { clock: clock })
  // Awaited here: the server must not stop before the work is done.
  return await work(server)
}

test('takes tokens, keys and secrets from before a restart', async () => {
  await using folder = await createTemporaryFolder()
  const place = await createPlace(folder.path)
  const before = await withServer(place, async (server) => {
    await using admin = connectAdmin(server)
    const { alice, bob } = await enrollCast(admin)
    const key = await admin.apiKeys.create.mutate({ agentId: alice.id, scopes: ['notes:read'] })
    const token = await getToken(server, alice)
    const { text: keys } = await send(`${server.issuer}/.well-known/jwks.json`)
    return { alice, bob, token, key: key.apiKey, keys }
  })

  const after = await withServer(place, async (server) => ({
    token: await introspect(server, before.bob, before.token),
    key: await introspect(server, before.bob, before.key),
    newToken: await getToken(server, before.alice),
    keys: (await send(`${server.issuer}/.well-known/jwks.json`)).text,
  }))

  expect(after.token.body).toMatchObject({ active: true, client_id: 'agent-alice' })
  expect(after.key.body).toMatchObject({ active: true, token_type: 'api_key' })
  expect(after.newToken).not.toBe(before.token)
  expect(after.keys).toBe(before.keys)
})

test('refuses after a restart what was ended before it', async () => {
  await using folder = await createTemporaryFolder()
  const place = await createPlace(folder.path)
  const before = await withServer(place, async (server) => {
    await using admin = connectAdmin(server)
    const { alice, bob } = await enrollCast(admin)
    const { apiKey, apiKeyId } = await admin.apiKeys.create.mutate({
      agentId: alice.id,
      scopes: ['notes:read'],
    })
    const token = await getToken(server, alice)
    await admin.apiKeys.deactivate.mutate({ apiKeyId })
    await admin.agents.deactivate.mutate({ id: alice.id })
    return { bob, token, apiKey }
  })

  const after = await withServer(place, async (server) =>
    Promise.all(
      [before.token, before.apiKey].map(async (text) => introspect(server, before.bob, text)),
    ),
  )

  expect(after.map(({ text }) => text)).toEqual(['{"active":false}', '{"active":false}'])
})

test('rotates the signing key after 30 days, and takes the tokens of the one before', async () => {
  await using folder = await createTemporaryFolder()
  const place = await createPlace(folder.path)
  const clock = createSettableClock()
  const enroll = async (server: TestServer) => {
    await using admin = connectAdmin(server)
    // Awaited here: the connection must not end before the cast is enrolled.
    return await enrollCast(admin)
  }
  const { alice, bob } = await withServer(place, enroll, clock)
  clock.advance(30 * 24 * 60 * 60 - 1)
  const before = await withServer(place, async (server) => getToken(server, alice), clock)
  clock.advance(1)

  const observe = async (server: TestServer) => ({
    token: await getToken(server, alice),
    introspected: await introspect(server, bob, before),
    jwks: await send(`${server.issuer}/.well-known/jwks.json`),
  })
  const after = await withServer(place, observe, clock)

  const kids = [after.token, before].map((token) => decodeProtectedHeader(token).kid)
  expect(kids[0]).not.toBe(kids[1])
  expect(after.introspected.body).toMatchObject({ active: true, client_id: alice.id })
  expect(after.jwks.body).toMatchObject({
    keys: [{ kid: kids[0] }, { alg: 'ES256' }, { kid: kids[1] }],
  })
})
