// Owners come, change their names, and end: with all that is theirs.
import { expect, test } from 'vitest'
import { connectAdmin, enroll, readRefusal } from '../../test-support/admin-client.ts'
import { startAuthServer } from '../../test-support/auth-server.ts'
import {
  getToken,
  introspect,
  postToken,
  readOAuthError,
  send,
} from '../../test-support/oauth-request.ts'
import { AUTH_SERVER_ID, OWNER_SCOPES } from './admin-scopes.ts'

/** Acme has an administrator, a notes agent and one that calls it; so has Rival, but for the notes. */
async function setUp() {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startAuthServer({ isRegistrationOpen: true }))
  const operator = stack.use(connectAdmin(server))
  for (const id of ['acme', 'rival']) await operator.owners.create.mutate({ id, name: id })
  const administer = async (ownerId: string) => {
    const settings = { scopes: [...OWNER_SCOPES], audiences: [AUTH_SERVER_ID] }
    const client = await enroll(operator, `${ownerId}-admin`, { ownerId, ...settings })
    return stack.use(connectAdmin(server, client, OWNER_SCOPES))
  }
  const [acme, rival] = [await administer('acme'), await administer('rival')]
  const notes = await enroll(acme, 'acme-notes', { scopesSupported: ['notes:read'] })
  const called = { scopes: ['notes:read'], audiences: [notes.id] }
  const caller = await enroll(acme, 'acme-caller', called)
  const other = await enroll(rival, 'rival-notes', { scopesSupported: ['notes:read'] })
  const outsider = await enroll(rival, 'rival-caller', { ...called, audiences: [other.id] })
  const resources = stack.move()
  const close = async (): Promise<void> => resources.disposeAsync()
  const cast = { operator, acme, rival, notes, caller, other, outsider }
  return { server, ...cast, [Symbol.asyncDispose]: close }
}

test('an owner gets another name, and the trail has both', async () => {
  await using world = await setUp()
  const { operator } = world

  const renamed = await operator.owners.update.mutate({ id: 'acme', name: 'Acme Inc.' })

  expect(renamed).toMatchObject({ id: 'acme', name: 'Acme Inc.' })
  expect(await operator.owners.get.query({ id: 'acme' })).toEqual(renamed)
  const { entries } = await operator.audit.list.query({ event: 'owner.updated' })
  expect(entries).toMatchObject([
    { ownerId: 'acme', actorId: 'operator', details: { from: 'acme', to: 'Acme Inc.' } },
  ])
})

test('an owner ends with its agents and their tokens, and nothing of another owner does', async () => {
  await using world = await setUp()
  const { caller, notes, operator, other, outsider, server } = world
  const token = await getToken(server, caller)
  const foreign = await getToken(server, outsider)

  const ended = await operator.owners.deactivate.mutate({ id: 'acme' })

  expect(ended).toMatchObject({ id: 'acme', deactivatedAt: server.clock.now(), agentsEnded: 3 })
  expect(readOAuthError(await postToken(server, caller))).toEqual({
    status: 401,
    error: 'invalid_client',
  })
  expect((await introspect(server, notes, token)).status).toBe(401)
  expect((await introspect(server, other, foreign)).body).toMatchObject({ active: true })
  expect((await postToken(server, outsider)).status).toBe(200)
  const { entries } = await operator.audit.list.query({ limit: 20 })
  const ends = entries.filter(({ event }) => event.endsWith('.deactivated'))
  expect(ends.map(({ event, target }) => [event, target?.id])).toEqual([
    ['owner.deactivated', 'acme'],
    ['agent.deactivated', 'acme-notes'],
    ['agent.deactivated', 'acme-caller'],
    ['agent.deactivated', 'acme-admin'],
  ])
})

test("what its agents held at another owner's agent ends with it", async () => {
  await using world = await setUp()
  const { operator, other, server } = world
  const shared = { id: other.id, settings: { sharedScopes: ['notes:read'] } }
  await operator.agents.update.mutate(shared)
  const settings = { audiences: [other.id], scopes: ['notes:read'] }
  await operator.agents.update.mutate({ id: 'acme-caller', settings })
  const token = await getToken(server, world.caller)

  const before = await introspect(server, other, token)
  await operator.owners.deactivate.mutate({ id: 'acme' })
  const after = await introspect(server, other, token)

  expect([before.body['active'], after.body['active']]).toEqual([true, false])
})

test('what it comes to is told beforehand, to whom it concerns', async () => {
  await using world = await setUp()
  const { acme, caller, operator, rival, server } = world
  await getToken(server, caller)
  await getToken(server, caller)
  const kind = { kind: 'owner', ownerId: 'acme' } as const

  const preview = await operator.revocations.preview.query(kind)
  const own = await acme.revocations.preview.query(kind)
  const hidden = await readRefusal(rival.revocations.preview.query(kind))

  expect(preview.agents).toEqual(['acme-admin', 'acme-caller', 'acme-notes'])
  // Two of the caller's, and those with which Acme's administrator works.
  expect(preview.liveTokens).toBe(3)
  expect(preview.verifiers.map(({ agentId }) => agentId)).toEqual(['acme-notes', AUTH_SERVER_ID])
  expect(own.agents).toEqual(preview.agents)
  expect(hidden).toMatchObject({ status: 404, code: 'owner_unknown' })
})

test('nothing is made for an owner that was ended, by nobody', async () => {
  // Attack: whoever holds a token to register with brings an organisation back that was ended.
  await using world = await setUp()
  const { acme, operator, server } = world
  const expiresAt = server.clock.now() + 600
  const { initialAccessToken } = await acme.registrationTokens.create.mutate({ expiresAt })
  await operator.owners.deactivate.mutate({ id: 'acme' })

  const registered = await send(`${server.issuer}/oauth/register`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${initialAccessToken}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ client_name: 'Back', redirect_uris: [] }),
  })
  const refusals = [
    await readRefusal(operator.agents.create.mutate({ id: 'new', name: 'New', ownerId: 'acme' })),
    await readRefusal(operator.registrationTokens.create.mutate({ ownerId: 'acme', expiresAt })),
    await readRefusal(operator.owners.update.mutate({ id: 'acme', name: 'Acme again' })),
  ]

  expect(registered.status).toBe(401)
  expect(refusals.map(({ code, status }) => [code, status])).toEqual(
    refusals.map(() => ['owner_inactive', 409]),
  )
})

test('ending again changes nothing, and the system itself cannot be ended', async () => {
  await using world = await setUp()
  const { acme, operator, server } = world
  const first = await operator.owners.deactivate.mutate({ id: 'acme' })
  server.clock.advance(60)

  const again = await operator.owners.deactivate.mutate({ id: 'acme' })
  const system = await readRefusal(operator.owners.deactivate.mutate({ id: 'system' }))
  const unknown = await readRefusal(operator.owners.deactivate.mutate({ id: 'nobody' }))
  const byItself = await readRefusal(acme.owners.deactivate.mutate({ id: 'rival' }))

  expect(again).toEqual({ ...first, agentsEnded: 0 })
  expect(system).toMatchObject({ status: 409, code: 'owner_protected' })
  expect(unknown).toMatchObject({ status: 404, code: 'owner_unknown' })
  expect([401, 403]).toContain(byItself.status)
})
