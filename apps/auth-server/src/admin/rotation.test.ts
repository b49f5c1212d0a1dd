import { toClientError } from '../../../../packages/client/src/index.ts'
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { connectAdmin, enrollCast } from '../../test-support/admin-client.ts'
import { startAuthServer } from '../../test-support/auth-server.ts'
import { START_AT } from '../../test-support/clock.ts'
import { introspect, postToken } from '../../test-support/oauth-request.ts'

async function setUp() {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startAuthServer())
  const admin = stack.use(connectAdmin(server))
  const cast = await enrollCast(admin)
  const { clientSecrets } = await admin.clientSecrets.list.query({ agentId: cast.alice.id })
  const clientSecretId = clientSecrets[0]?.clientSecretId ?? ''
  const resources = stack.move()
  const close = async (): Promise<void> => resources.disposeAsync()
  return { server, admin, ...cast, clientSecretId, [Symbol.asyncDispose]: close }
}

describe('rotating a client secret', () => {
  test('lets both work until the overlap is over, then the new one alone', async () => {
    await using world = await setUp()
    const { admin, alice, clientSecretId, server } = world

    const { clientSecret } = await admin.clientSecrets.rotate.mutate({
      clientSecretId,
      overlapSeconds: 100,
    })

    const renewed = { id: alice.id, secret: clientSecret }
    const tryBoth = async () =>
      Promise.all([alice, renewed].map(async (one) => (await postToken(server, one)).status))
    server.clock.set(START_AT + 99)
    const during = await tryBoth()
    server.clock.set(START_AT + 100)
    const after = await tryBoth()
    expect([during, after]).toEqual([
      [200, 200],
      [401, 200],
    ])
  })

  test('shows whether the old one is still in use', async () => {
    await using world = await setUp()
    const { admin, alice, clientSecretId, server } = world
    const show = async () => {
      const { clientSecrets } = await admin.clientSecrets.list.query({ agentId: alice.id })
      return clientSecrets.find((one) => one.clientSecretId === clientSecretId)
    }
    await postToken(server, alice)

    const successor = await admin.clientSecrets.rotate.mutate({ clientSecretId })
    const before = await show()
    server.clock.advance(60)
    await postToken(server, alice)
    const after = await show()

    expect(before).toMatchObject({
      supersededBy: successor.clientSecretId,
      usedSinceSuperseded: false,
    })
    expect(after).toMatchObject({ usedSinceSuperseded: true, lastUsedAt: START_AT + 60 })
  })

  test('ends the old one at once without an overlap, and never later than it would have', async () => {
    await using world = await setUp()
    const { admin, alice, clientSecretId, server } = world
    const { clientSecretId: shortLived } = await admin.clientSecrets.create.mutate({
      agentId: alice.id,
      expiresAt: START_AT + 10,
    })

    await admin.clientSecrets.rotate.mutate({ clientSecretId, overlapSeconds: 0 })
    await admin.clientSecrets.rotate.mutate({ clientSecretId: shortLived, overlapSeconds: 100 })

    expect((await postToken(server, alice)).status).toBe(401)
    const { clientSecrets } = await admin.clientSecrets.list.query({ agentId: alice.id })
    const old = clientSecrets.find((one) => one.clientSecretId === shortLived)
    expect(old?.expiresAt).toBe(START_AT + 10)
  })

  test('has one successor, of however many that rotate at once', async () => {
    await using world = await setUp()
    const { admin, alice, clientSecretId } = world

    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async () =>
        admin.clientSecrets.rotate.mutate({ clientSecretId }).then(
          () => 'rotated',
          (error: unknown) => toClientError(error).code,
        ),
      ),
    )

    expect(outcomes.filter((outcome) => outcome === 'rotated')).toHaveLength(1)
    expect(new Set(outcomes)).toEqual(new Set(['rotated', 'credential_ended']))
    const { clientSecrets } = await admin.clientSecrets.list.query({ agentId: alice.id })
    expect(clientSecrets).toHaveLength(2)
  })
})

// The surprise: keys that end after 90 days, the policy of the house, and after their first rotation none does.
test.each(['a client secret', 'an API key', 'a public key'])(
  'the successor of %s ends after as long as the old one was given, unless it is to end at another time',
  async (kind) => {
    await using world = await setUp()
    const { admin, alice, server } = world
    const rotate = await createRotating(admin, kind, {
      agentId: alice.id,
      expiresAt: START_AT + 100,
    })
    server.clock.advance(60)

    const first = await rotate({})
    const second = await rotate({ expiresAt: START_AT + 500 })

    expect([first.expiresAt, second.expiresAt]).toEqual([START_AT + 160, START_AT + 500])
    const late = rotate({ expiresAt: START_AT + 60 })
    await expect(late).rejects.toMatchObject({ data: { code: 'BAD_REQUEST' } })
  },
)

/** Makes a credential that ends. What it returns rotates the newest. */
async function createRotating(
  { apiKeys, clientKeys, clientSecrets }: Awaited<ReturnType<typeof setUp>>['admin'],
  kind: string,
  created: { readonly agentId: string; readonly expiresAt: number },
): Promise<(asked: { expiresAt?: number }) => Promise<{ expiresAt?: number | undefined }>> {
  if (kind === 'a client secret') {
    let newest = await clientSecrets.create.mutate(created)
    return async (asked) => {
      const { clientSecretId } = newest
      return (newest = await clientSecrets.rotate.mutate({ clientSecretId, ...asked }))
    }
  }
  if (kind === 'an API key') {
    let newest = await apiKeys.create.mutate({ ...created, scopes: ['notes:read'] })
    return async (asked) => {
      const { apiKeyId } = newest
      return (newest = await apiKeys.rotate.mutate({ apiKeyId, ...asked }))
    }
  }
  const makeJwk = () => ({
    ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }),
  })
  let newest = await clientKeys.create.mutate({ ...created, jwk: makeJwk() })
  return async (asked) => {
    const { clientKeyId } = newest
    return (newest = await clientKeys.rotate.mutate({ clientKeyId, jwk: makeJwk(), ...asked }))
  }
}

describe('rotating an API key', () => {
  test('gives a key of the same scopes and tier, and ends the old one after the overlap', async () => {
    await using world = await setUp()
    const { admin, alice, bob, server } = world
    const old = await admin.apiKeys.create.mutate({
      agentId: alice.id,
      label: 'laptop',
      scopes: ['notes:read'],
      rateLimitTier: 'high',
    })

    const { apiKeyId } = old
    const renewed = await admin.apiKeys.rotate.mutate({ apiKeyId, overlapSeconds: 10 })

    server.clock.set(START_AT + 10)
    expect(renewed).toMatchObject({
      label: 'laptop',
      scopes: ['notes:read'],
      rateLimitTier: 'high',
    })
    expect((await introspect(server, bob, old.apiKey)).body).toEqual({ active: false })
    expect((await introspect(server, bob, renewed.apiKey)).body).toMatchObject({
      active: true,
      rate_limit_tier: 'high',
    })
  })
})
