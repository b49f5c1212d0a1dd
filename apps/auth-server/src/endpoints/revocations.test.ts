import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { connectAdmin, enrollCast } from '../../test-support/admin-client.ts'
import { startAuthServer } from '../../test-support/auth-server.ts'
import { START_AT } from '../../test-support/clock.ts'
import { followFeed } from '../../test-support/follow-feed.ts'
import { basic, getToken, revoke, send } from '../../test-support/oauth-request.ts'
import { makeAgent } from '../../test-support/storage-adapters.ts'
import { createVerifiers } from '../revocation/verifiers.ts'
import { createRevocationsEndpoint } from './revocations.ts'

async function setUp() {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startAuthServer())
  const admin = stack.use(connectAdmin(server))
  const cast = await enrollCast(admin)
  const revokeOne = async (): Promise<string> => {
    const token = await getToken(server, cast.alice)
    await revoke(server, cast.alice, token)
    return decodeJwt(token).jti ?? ''
  }
  const resources = stack.move()
  const dispose = async (): Promise<void> => resources.disposeAsync()
  return { server, admin, ...cast, revokeOne, [Symbol.asyncDispose]: dispose }
}

describe('GET /oauth/revocations', () => {
  test('tells what there is, that this is all, and then what comes', async () => {
    await using world = await setUp()
    const before = await world.revokeOne()

    await using feed = await followFeed(world.server, world.bob)
    const first = await feed.next()
    const second = await feed.next()
    const after = await world.revokeOne()
    const third = await feed.next()

    expect(first).toMatchObject({
      event: 'snapshot',
      data: { reset: true, entries: [['grant', before, START_AT + 900 + 300]] },
    })
    expect(second).toMatchObject({ event: 'ready' })
    expect(third).toMatchObject({
      event: 'revoked',
      data: { entries: [['grant', after, START_AT + 900 + 300]] },
    })
  })

  test('goes on after the event that was heard last, without loss and without repetition', async () => {
    await using world = await setUp()
    await using first = await followFeed(world.server, world.bob)
    const { id } = (await first.next()) ?? {}
    const missed = [await world.revokeOne(), await world.revokeOne()]

    await using again = await followFeed(world.server, world.bob, id)
    const heard = await again.next()

    expect(heard).toMatchObject({ event: 'revoked' })
    expect(heard?.data.entries?.map(([, entry]) => entry)).toEqual(missed)
    expect(await again.next()).toMatchObject({ event: 'ready' })
  })

  test.each([
    ['of another database', '00000000-0000-4000-8000-000000000000:1'],
    ['that nobody gave', 'nonsense'],
  ])('begins anew after an event %s', async (_, lastEventId) => {
    await using world = await setUp()
    const jti = await world.revokeOne()

    await using feed = await followFeed(world.server, world.bob, lastEventId)

    expect(await feed.next()).toMatchObject({
      event: 'snapshot',
      data: { reset: true, entries: [['grant', jti, START_AT + 900 + 300]] },
    })
  })

  test('begins anew for a verifier that has heard more than this database knows', async () => {
    // A backup was restored: the numbers after it are given a second time.
    await using world = await setUp()
    await using first = await followFeed(world.server, world.bob)
    const feedId = (await first.next())?.id?.split(':')[0]

    await using feed = await followFeed(world.server, world.bob, `${String(feedId)}:99`)

    expect(await feed.next()).toMatchObject({ event: 'snapshot', data: { reset: true } })
  })

  test('tells of agents and keys that are not what they were', async () => {
    await using world = await setUp()
    const { admin, alice, bob, server } = world
    const created = await admin.apiKeys.create.mutate({ agentId: alice.id, scopes: ['notes:read'] })
    await using feed = await followFeed(server, bob)
    await feed.next()
    await feed.next()

    await admin.agents.update.mutate({ id: bob.id, settings: { sharedScopes: [] } })
    const first = await feed.next()
    await admin.apiKeys.rotate.mutate({ apiKeyId: created.apiKeyId, overlapSeconds: 0 })
    const second = await feed.next()

    expect([first, second].map((event) => event?.data.entries)).toEqual([
      [['change', bob.id, START_AT + 600]],
      [['change', created.apiKeyId, START_AT + 600]],
    ])
  })

  test('ends for an agent that is deactivated, once it has heard of it', async () => {
    await using world = await setUp()
    await using feed = await followFeed(world.server, world.bob)
    await feed.next()
    await feed.next()

    await world.admin.agents.deactivate.mutate({ id: 'agent-bob' })

    expect((await feed.next())?.data.entries).toMatchObject([
      ['agent', 'agent-bob', expect.any(Number)],
    ])
    expect(await feed.next()).toBeUndefined()
  })

  test('ends for a secret that is ended', async () => {
    await using world = await setUp()
    await using feed = await followFeed(world.server, world.bob)
    await feed.next()
    await feed.next()
    const { clientSecrets } = await world.admin.clientSecrets.list.query({ agentId: 'agent-bob' })

    await world.admin.clientSecrets.deactivate.mutate({
      clientSecretId: clientSecrets[0]?.clientSecretId ?? '',
    })

    expect(await feed.next()).toMatchObject({ event: 'revoked' })
    expect(await feed.next()).toBeUndefined()
  })

  test('is for authenticated agents only', async () => {
    await using world = await setUp()
    const url = `${world.server.issuer}/oauth/revocations`

    const nobody = await send(url)
    const impostor = await send(url, { headers: basic({ ...world.bob, secret: 'guess' }) })

    expect(nobody.status).toBe(401)
    expect(impostor).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  })

  test('does not keep a server from closing', async () => {
    const world = await setUp()
    await using feed = await followFeed(world.server, world.bob)
    await feed.next()
    await feed.next()

    await world[Symbol.asyncDispose]()

    expect(await feed.next()).toBeUndefined()
  })
})

test('a feed that breaks off while its follower is being asked something ends that stream, and not the server', async () => {
  const broken = Promise.withResolvers<never>()
  const unhandled: unknown[] = []
  const keep = (reason: unknown): void => void unhandled.push(reason)
  process.on('unhandledRejection', keep)
  using _listener = { [Symbol.dispose]: () => process.off('unhandledRejection', keep) }
  const verifiers = createVerifiers({ clock: createSettableClock() })
  const agent = makeAgent()
  const follow = createRevocationsEndpoint({
    authenticateClient: async () => Promise.resolve({ agent, credentialId: 'secret-1' }),
    feed: {
      async *follow() {
        yield { type: 'ready' }
        await broken.promise
      },
    },
    verifiers,
    audit: { record: async () => undefined },
  })
  const { events } = await follow({
    method: 'GET',
    path: '/oauth/revocations',
    query: new URLSearchParams(),
    headers: {},
    headerValues: () => [],
    remoteAddress: '192.0.2.1',
    correlationId: 'correlation-1',
    traceId: undefined,
    readBody: async () => '',
  })
  const stream = events?.(new AbortController().signal)
  await stream?.next()
  void verifiers.ask([agent.id], { grants: ['grant-1'], agents: [] })
  expect((await stream?.next())?.value).toMatch(/^event: reach\n/)

  broken.reject(new Error('the store is away'))
  await new Promise(setImmediate)

  expect(unhandled).toEqual([])
  await expect(stream?.next()).rejects.toThrow('the store is away')
})
