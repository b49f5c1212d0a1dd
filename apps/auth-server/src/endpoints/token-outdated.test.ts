// What the server remembers of its clients must not outlive what is true: tokens are asked for again and
// again, while somebody else changes who may have them.
import { expect, test } from 'vitest'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { connectAdmin, enrollCast } from '../../test-support/admin-client.ts'
import { createPlace, startAt, type TestServerOptions } from '../../test-support/auth-server.ts'
import { START_AT } from '../../test-support/clock.ts'
import { postToken, readOAuthError } from '../../test-support/oauth-request.ts'
import {
  createStorage,
  makeAgent,
  makeClientSecret,
  STORAGE_ADAPTERS,
} from '../../test-support/storage-adapters.ts'
import { openTestKeyRing } from '../../test-support/signing-keys.ts'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { createClientAuthentication } from '../clients/client-authentication.ts'
import { createClientMemory } from '../clients/client-memory.ts'
import { createClientCredentialsGrant } from '../grants/client-credentials.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import { openStorage, type Storage } from '../storage/open-storage.ts'
import { createPrepareAccessToken } from '../tokens/prepare-access-token.ts'
import { createIssueGrantedToken } from '../tokens/issue-granted-token.ts'
import { createTokenEndpoint } from './token.ts'

/** A server that remembers Alice, and another process on the same file. */
async function setUp(options: TestServerOptions = {}) {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  const place = await createPlace(folder.path)
  const server = stack.use(await startAt(place, options))
  const admin = stack.use(connectAdmin(server))
  const { alice, bob } = await enrollCast(admin)
  const elsewhere = stack.use(await openStorage({ file: place.databaseFile }))
  const ask = async (form: Readonly<Record<string, string>> = {}) => postToken(server, alice, form)
  expect((await ask()).status).toBe(200)
  expect((await ask()).status).toBe(200)
  const resources = stack.move()
  const dispose = async (): Promise<void> => resources.disposeAsync()
  return { admin, alice, ask, bob, elsewhere, server, [Symbol.asyncDispose]: dispose }
}

const at = (id: string) => ({ id, within: EVERY_OWNER }) as const

test('an agent that another process deactivated is refused from the next request on', async () => {
  await using world = await setUp()
  const { alice, ask, elsewhere } = world
  await elsewhere.act(async ({ agents }) => agents.deactivate(at(alice.id), START_AT))

  expect(readOAuthError(await ask())).toEqual({ status: 401, error: 'invalid_client' })
})

test('a secret that another process ended is refused from the next request on', async () => {
  await using world = await setUp()
  const { alice, ask, elsewhere } = world
  const [secret] = await elsewhere.clientSecrets.listByAgent(alice.id, EVERY_OWNER)
  const { id = '' } = secret ?? {}
  await elsewhere.act(async ({ clientSecrets }) => clientSecrets.deactivate(at(id), START_AT))

  expect(readOAuthError(await ask())).toEqual({ status: 401, error: 'invalid_client' })
})

test('a target that another process deactivated gets no more tokens', async () => {
  await using world = await setUp()
  const { ask, bob, elsewhere } = world
  await elsewhere.act(async ({ agents }) => agents.deactivate(at(bob.id), START_AT))

  expect(readOAuthError(await ask({ audience: bob.id }))).toMatchObject({ error: 'invalid_target' })
})

test('an agent that the admin API deactivated is refused from the next request on', async () => {
  await using world = await setUp()
  const { admin, alice, ask } = world
  await admin.agents.deactivate.mutate({ id: alice.id })

  expect(readOAuthError(await ask())).toEqual({ status: 401, error: 'invalid_client' })
})

test('a scope that another process gave is granted from the next request on', async () => {
  await using world = await setUp()
  const { ask, bob, elsewhere } = world
  const scope = 'notes:delete'
  expect(readOAuthError(await ask({ scope }))).toMatchObject({ error: 'invalid_scope' })
  await elsewhere.act(async ({ agents }) => {
    await agents.update(at(bob.id), { scopesSupported: ['notes:read', scope] })
    await agents.update(at('agent-alice'), { scopes: ['notes:read', scope] })
  })

  expect(await ask({ scope })).toMatchObject({ status: 200, body: { scope } })
})

test('a limit that another process raised is raised from the next request on', async () => {
  await using world = await setUp({
    rateLimitTiers: { standard: { burst: 20, perMinute: 1 }, high: { burst: 100, perMinute: 1 } },
  })
  const { alice, ask, elsewhere } = world
  for (let asked = 2; asked < 20; asked += 1) expect((await ask()).status).toBe(200)
  expect((await ask()).status).toBe(429)
  await elsewhere.act(async ({ agents }) => agents.update(at(alice.id), { rateLimitTier: 'high' }))

  expect((await ask()).headers.get('ratelimit')).toMatch(/^"high"/)
})

test('a request that has to be looked at again counts once', async () => {
  await using world = await setUp({ rateLimitTiers: { standard: { burst: 10, perMinute: 1 } } })
  const { alice, ask, elsewhere } = world
  const remaining = async () => /r=(\d+)/.exec((await ask()).headers.get('ratelimit') ?? '')?.[1]
  const before = Number(await remaining())
  await elsewhere.act(async ({ agents }) => agents.update(at(alice.id), { name: 'Alicia' }))

  expect(Number(await remaining())).toBe(before - 1)
})

/** The endpoint on a storage that knows Alice, who asks with her secret. */
async function createAsking(storage: Storage, onAuthenticated: () => Promise<unknown>) {
  const clock = createSettableClock()
  const secret = makeClientSecret()
  await storage.act(async ({ agents, clientSecrets }) => {
    await agents.insert(makeAgent({ scopes: ['notes:read'], audiences: ['agent-bob'] }))
    await agents.insert(makeAgent({ id: 'agent-bob', scopesSupported: ['notes:read'] }))
    await clientSecrets.insert(secret)
  })
  const keyRing = await openTestKeyRing({ store: storage.signingKeys, clock })
  const endpoint = createTokenEndpoint({
    authenticateClient: createClientAuthentication({
      clients: storage.clients,
      uses: { note: () => undefined },
      assertions: { verify: async () => Promise.reject(new Error('nobody asserts anything')) },
      clock,
    }),
    clientMemory: createClientMemory({
      clients: storage.clients,
      versioned: storage.versionedClients,
    }),
    grantTypes: {
      client_credentials: createClientCredentialsGrant({
        ...storage,
        requireApproval: async () => Promise.reject(new Error('nobody asks for approval')),
        clock,
      }),
    },
    issueToken: createIssueGrantedToken({
      prepareAccessToken: createPrepareAccessToken({
        issuer: 'https://auth.example',
        keyRing,
        clock,
      }),
      storage,
      clock,
    }),
    dpop: {
      // The moment after authentication.
      async bind() {
        await onAuthenticated()
        return undefined
      },
      nonceHeaders: () => ({}),
    },
    audit: storage.audit,
  })
  const form = { grant_type: 'client_credentials', client_id: 'agent-alice' }
  const body = new URLSearchParams({ ...form, client_secret: secret.id }).toString()
  return async () =>
    endpoint({
      method: 'POST',
      path: '/oauth/token',
      query: new URLSearchParams(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      headerValues: () => [],
      remoteAddress: '192.0.2.1',
      correlationId: 'correlation-1',
      traceId: undefined,
      readBody: async () => body,
    })
}

// The attack: a secret that leaked is ended, while a request with it is under way.
test.each(STORAGE_ADAPTERS)(
  'a secret that is ended between authentication and answer gets no token ($name)',
  async (adapter) => {
    await using storage = await createStorage(adapter, createSettableClock())
    let onAuthenticated = async (): Promise<unknown> => undefined
    const ask = await createAsking(storage, async () => onAuthenticated())
    expect((await ask()).body).toMatchObject({ token_type: 'Bearer' })
    onAuthenticated = async () =>
      storage.act(async ({ clientSecrets }) => clientSecrets.deactivate(at('secret-1'), START_AT))

    await expect(ask()).rejects.toMatchObject({ code: 'invalid_client' })

    const { entries } = await storage.audit.list({ within: EVERY_OWNER, filter: {}, limit: 10 })
    expect(entries.filter(({ event }) => event === 'token.issued')).toHaveLength(1)
  },
)

// Where everybody is remembered, nobody else tells of a change: each token would be decided again and again.
test.each(STORAGE_ADAPTERS)(
  'after a change of another agent one token is decided twice, and the next one once ($name)',
  async (adapter) => {
    await using storage = await createStorage(adapter, createSettableClock())
    let decided = 0
    const ask = await createAsking(storage, async () => (decided += 1))
    await ask()
    await storage.agents.insert(makeAgent({ id: 'agent-carol' }))
    await storage.agents.update(at('agent-carol'), { name: 'Caroline' })
    decided = 0

    await ask()
    const first = decided
    await ask()

    expect([first, decided - first]).toEqual([2, 1])
  },
)
