import { toClientError } from '../../../../packages/client/src/index.ts'
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { callTrpc } from '../../../../test/support/call-trpc.ts'
import { connectAdmin, enroll, enrollCast, readRefusal } from '../../test-support/admin-client.ts'
import { startAuthServer } from '../../test-support/auth-server.ts'
import { getToken, introspect, postToken, revoke } from '../../test-support/oauth-request.ts'
import { AUTH_SERVER_ID, OWNER_SCOPES } from './admin-scopes.ts'

async function setUp() {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startAuthServer())
  const admin = stack.use(connectAdmin(server))
  const cast = await enrollCast(admin)
  const resources = stack.move()
  return { server, admin, ...cast, [Symbol.asyncDispose]: async () => resources.disposeAsync() }
}

describe('the audit trail', () => {
  test('says who got a token, for whom, by which credential, and under which id', async () => {
    await using world = await setUp()

    const answer = await postToken(world.server, world.alice, { scope: 'notes:read' })

    const token = String(answer.body['access_token'])
    const { jti } = (await introspect(world.server, world.bob, token)).body
    const { entries } = await world.admin.audit.list.query({ actorId: world.alice.id })
    expect(entries).toMatchObject([
      {
        event: 'token.issued',
        outcome: 'success',
        ownerId: 'system',
        subjectId: world.alice.id,
        audience: world.bob.id,
        scope: 'notes:read',
        tokenId: jti,
        correlationId: answer.headers.get('x-correlation-id'),
        address: '127.0.0.1',
        at: world.server.clock.now(),
      },
    ])
    expect(entries[0]?.credentialId).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('says who was refused and why, also what the answer did not say', async () => {
    await using world = await setUp()
    await postToken(world.server, { id: world.alice.id, secret: world.bob.secret })
    await postToken(world.server, world.alice, { scope: 'other:read' })

    const { entries } = await world.admin.audit.list.query({ outcome: 'refused' })

    expect(entries.map(({ actorId, event, reason }) => ({ actorId, event, reason }))).toEqual([
      { actorId: world.alice.id, event: 'token.refused', reason: 'invalid_scope' },
      {
        actorId: world.alice.id,
        event: 'client.authentication_failed',
        reason: 'secret_of_another_client',
      },
    ])
  })

  test('has each administrative act, and each that was refused', async () => {
    await using world = await setUp()
    const { admin, alice } = world
    await admin.agents.update.mutate({ id: alice.id, settings: { scopes: ['notes:read'] } })
    await admin.agents.get.query({ id: 'agent-nobody' }).catch(() => undefined)
    const token = await getToken(world.server, alice)
    await revoke(world.server, alice, token)
    await admin.agents.deactivate.mutate({ id: alice.id })

    const { entries } = await admin.audit.list.query({ limit: 6 })

    expect(entries.map(({ event, reason }) => reason ?? event)).toEqual([
      'agent.deactivated',
      'token.revoked',
      'token.issued',
      'agent_unknown',
      'agent.updated',
      'client_secret.created',
    ])
    expect(entries[4]?.details).toEqual({
      changed: 'scopes',
      scopesAdded: '',
      scopesRemoved: 'notes:write other:read',
    })
  })

  test('says with which secret, by which token and in which trace an administrator acted', async () => {
    await using world = await setUp()
    const { admin, alice, server } = world
    const operator = await postToken(server, server.operator, { audience: AUTH_SERVER_ID })
    const token = String(operator.body['access_token'])
    const { grant_path: path, jti: tokenId = '' } = decodeJwt<{ grant_path: string[] }>(token)
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
    const headers = {
      authorization: `Bearer ${token}`,
      traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
    }

    for (const id of [alice.id, 'agent-nobody']) {
      const options = { method: 'POST', input: { id }, headers }
      await callTrpc(server.issuer, 'agents.deactivate', options)
    }
    const { entries } = await admin.audit.list.query({ tokenId, limit: 2 })

    const by = { actorId: 'operator', ownerId: 'system', credentialId: path[0], tokenId, traceId }
    expect(entries).toMatchObject([
      { event: 'admin.refused', reason: 'agent_unknown', ...by },
      { event: 'agent.deactivated', ...by },
    ])
  })

  test('holds no secret, whatever was sent', async () => {
    // Attack: a secret is sent where a name belongs, and read in the trail by whoever may read that.
    await using world = await setUp()
    const { secret } = world.alice
    await postToken(world.server, { id: secret, secret })
    await postToken(world.server, world.alice, { scope: secret, audience: secret })

    const { entries } = await world.admin.audit.list.query({ limit: 200 })

    expect(entries.length).toBeGreaterThan(3)
    expect(JSON.stringify(entries)).not.toMatch(/(?:cs|sk)-agent-[0-9A-Za-z]{10}/)
  })

  test('is read in pages, from the newest back, without one twice', async () => {
    await using world = await setUp()
    for (let time = 0; time < 7; time += 1) await postToken(world.server, world.alice)
    const filter = { actorId: world.alice.id, limit: 3 }

    const first = await world.admin.audit.list.query(filter)
    await postToken(world.server, world.alice)
    const second = await world.admin.audit.list.query({ ...filter, cursor: first.nextCursor })
    const third = await world.admin.audit.list.query({ ...filter, cursor: second.nextCursor })

    const ids = [first, second, third].flatMap(({ entries }) => entries.map(({ id }) => id))
    expect(ids).toHaveLength(7)
    expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => b - a))
    expect(third.nextCursor).toBeUndefined()
  })

  test('verifies, and says so with the heads to keep', async () => {
    await using world = await setUp()
    await postToken(world.server, world.alice)

    const verdict = await world.admin.audit.verify.query()
    const heads = verdict.ok ? verdict.heads : []
    await postToken(world.server, world.alice)
    const later = await world.admin.audit.verify.query({ checkpoints: heads })
    const forged = heads.map(({ hash, seq, writerId }) => ({ hash, seq: seq + 1000, writerId }))
    const missing = await world.admin.audit.verify.query({ checkpoints: forged })

    expect(verdict).toMatchObject({ ok: true })
    expect(later).toMatchObject({ ok: true })
    expect(missing).toMatchObject({ ok: false, fault: 'end_missing' })
  })

  test('is not dropped as a whole by who gives milliseconds for seconds', async () => {
    await using world = await setUp()
    const beforeAt = world.server.clock.now() * 1000

    const refusal = await readRefusal(world.admin.audit.prune.mutate({ beforeAt }))

    expect(refusal).toMatchObject({ code: 'time_in_the_future', status: 400 })
    const { entries } = await world.admin.audit.list.query({ event: 'agent.created' })
    expect(entries).toHaveLength(3)
  })

  test('still verifies when old entries were dropped', async () => {
    await using world = await setUp()
    await postToken(world.server, world.alice)
    world.server.clock.advance(100)
    await postToken(world.server, world.alice)

    const beforeAt = world.server.clock.now()
    const pruned = await world.admin.audit.prune.mutate({ beforeAt })

    expect(pruned.entries).toBeGreaterThan(3)
    const { entries } = await world.admin.audit.list.query({ limit: 200 })
    expect(entries.every(({ at }) => at >= beforeAt)).toBe(true)
    expect(await world.admin.audit.verify.query()).toMatchObject({ ok: true })
  })

  test('shows an owner its own entries and no others', async () => {
    await using world = await setUp()
    await world.admin.owners.create.mutate({ id: 'acme', name: 'Acme' })
    const client = await enroll(world.admin, 'acme-admin', {
      ownerId: 'acme',
      scopes: [...OWNER_SCOPES],
      audiences: [AUTH_SERVER_ID],
    })
    await using acme = connectAdmin(world.server, client, ['audit:read'])

    const { entries } = await acme.audit.list.query({ limit: 200 })
    const foreign = await world.admin.audit.list.query({ actorId: 'operator', ownerId: 'system' })
    const peek = await acme.audit.list.query({ ownerId: 'system' })
    const steal = await acme.audit.get.query({ id: foreign.entries[0]?.id ?? 0 }).then(
      () => 'answered',
      (error: unknown) => toClientError(error).code,
    )

    expect(new Set(entries.map(({ ownerId }) => ownerId))).toEqual(new Set(['acme']))
    expect(entries.map(({ event }) => event)).toContain('agent.created')
    expect(peek.entries).toEqual([])
    expect(steal).toBe('audit_entry_unknown')
  })
})
