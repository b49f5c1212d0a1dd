// `audit.tail` over real connections: it follows, goes on where it was cut off, shows an owner its own only, and
// ends with the authority that it was opened with.
import { describe, expect, test } from 'vitest'
import { decodeJwt } from 'jose'
import { connectAdmin, enroll, enrollCast } from '../../test-support/admin-client.ts'
import { startAuthServer, type Client } from '../../test-support/auth-server.ts'
import { followByEvents, followByWebSocket } from '../../test-support/follow-audit.ts'
import { getToken } from '../../test-support/oauth-request.ts'
import { AUTH_SERVER_ID } from './admin-scopes.ts'

/** Alice gets tokens; an auditor of the system watches, and one of another owner. */
async function setUp() {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startAuthServer())
  const admin = stack.use(connectAdmin(server))
  const cast = await enrollCast(admin)
  const settings = { scopes: ['audit:read'], audiences: [AUTH_SERVER_ID] }
  const auditor = await enroll(admin, 'agent-auditor', settings)
  await admin.owners.create.mutate({ id: 'rival', name: 'Rival' })
  const create = { ...settings, id: 'agent-rival', name: 'Rival', ownerId: 'rival' }
  await admin.agents.create.mutate(create)
  const { clientSecret } = await admin.clientSecrets.create.mutate({ agentId: 'agent-rival' })
  const rival: Client = { id: 'agent-rival', secret: clientSecret }
  const issue = async () => decodeJwt(await getToken(server, cast.alice)).jti
  const resources = stack.move()
  const close = async (): Promise<void> => resources.disposeAsync()
  return { server, admin, auditor, rival, issue, ...cast, [Symbol.asyncDispose]: close }
}

describe.each([
  ['WebSocket', followByWebSocket],
  ['server-sent events', followByEvents],
] as const)('audit.tail by %s', (_, follow) => {
  test('tells of each entry as it is written', async () => {
    await using world = await setUp()
    await using tail = await follow(world.server, world.auditor)

    const issued = [await world.issue(), await world.issue()]
    const told = [await tail.next(), await tail.next()]

    expect(told.map(({ event, tokenId }) => [event, tokenId])).toEqual(
      issued.map((jti) => ['token.issued', jti]),
    )
  })

  test('goes on after the last entry that came, with nothing lost and nothing twice', async () => {
    await using world = await setUp()
    let lastEventId: string
    {
      await using tail = await follow(world.server, world.auditor)
      await world.issue()
      lastEventId = (await tail.next()).id
    }
    const missed = [await world.issue(), await world.issue()]

    await using tail = await follow(world.server, world.auditor, { lastEventId })
    const later = await world.issue()

    const told: (string | undefined)[] = []
    while (!told.includes(later)) {
      const { tokenId } = await tail.next()
      told.push(tokenId)
    }
    // The auditor's own token, for the second connection, may be among them.
    const isOurs = (id: string | undefined) => id !== undefined && [...missed, later].includes(id)
    expect(told.filter(isOurs)).toEqual([...missed, later])
  })

  test('tells a follower that the trail was put back to before the last entry that came', async () => {
    await using world = await setUp()
    const newest = (await world.admin.audit.list.query({ limit: 1 })).entries[0]

    await using beyond = await follow(world.server, world.auditor, {
      lastEventId: String((newest?.id ?? 0) + 1000),
    })
    // The ids have come as far again, with other entries.
    await using again = await follow(world.server, world.auditor, {
      lastEventId: `${String(newest?.id)}.${'A'.repeat(43)}`,
    })

    expect(await beyond.ended).toBe('audit_position_lost')
    expect(await again.ended).toBe('audit_position_lost')
  })

  test("shows an owner its own entries, and nothing of another's", async () => {
    await using world = await setUp()
    const { rival, server } = world
    await using tail = await follow(server, rival)

    await world.issue()
    const own = await getToken(server, rival, { audience: AUTH_SERVER_ID, scope: 'audit:read' })

    expect((await tail.next()).tokenId).toBe(decodeJwt(own).jti)
  })

  test('ends, with the reason, when the agent that follows it is ended', async () => {
    await using world = await setUp()
    await using tail = await follow(world.server, world.auditor)

    await world.admin.agents.deactivate.mutate({ id: world.auditor.id })

    expect(await tail.ended).toMatch(/^(?:token_revoked|token_refused)$/)
  })
})
