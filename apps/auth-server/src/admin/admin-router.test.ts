import { isAgentSecret } from '@deputy/auth/protocol'
import { describe, expect, test } from 'vitest'
import { apiKey, createAgentClient } from '../../../../packages/client/src/index.ts'
import { connectAdmin, enroll, readRefusal } from '../../test-support/admin-client.ts'
import { startAuthServer } from '../../test-support/auth-server.ts'
import { START_AT } from '../../test-support/clock.ts'
import { postToken } from '../../test-support/oauth-request.ts'
import { AUTH_SERVER_ID, type AdminRouter } from '../index.ts'
import { ADMIN_REASONS } from './refusals.ts'

async function setUp() {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startAuthServer())
  const admin = stack.use(connectAdmin(server))
  const resources = stack.move()
  return { server, admin, [Symbol.asyncDispose]: async () => resources.disposeAsync() }
}

describe('agents', () => {
  test('are created with what was named and defaults for the rest', async () => {
    await using world = await setUp()

    const agent = await world.admin.agents.create.mutate({ id: 'agent-a', name: '  A  ' })

    expect(agent).toEqual({
      id: 'agent-a',
      name: 'A',
      description: '',
      state: 'active',
      scopes: [],
      audiences: [],
      scopesSupported: [],
      sharedScopes: [],
      approvalScopes: [],
      authorizationDetailsTypes: [],
      scopePolicy: 'exact',
      accessTokenTtlSeconds: 900,
      dpopBoundAccessTokens: false,
      rateLimitTier: 'standard',
      delegation: { to: [], maxDepth: 0 },
      metadata: {},
      ownerId: 'system',
      createdAt: START_AT,
    })
    expect(await world.admin.agents.get.query({ id: 'agent-a' })).toEqual(agent)
  })

  test('cannot take the server itself out of service', async () => {
    // Attack, or slip: without its own identity the server could give nobody a token to undo it with.
    await using world = await setUp()

    const refusals = [
      await readRefusal(world.admin.agents.deactivate.mutate({ id: AUTH_SERVER_ID })),
      await readRefusal(world.admin.agents.deactivate.mutate({ id: 'operator' })),
      await readRefusal(
        world.admin.agents.update.mutate({ id: AUTH_SERVER_ID, settings: { scopesSupported: [] } }),
      ),
    ]

    expect(new Set(refusals.map(({ code }) => code))).toEqual(new Set(['agent_protected']))
    expect(await world.admin.agents.get.query({ id: AUTH_SERVER_ID })).toMatchObject({
      state: 'active',
    })
  })

  test('are refused under an id that is taken, and the first stays as it is', async () => {
    // Attack: who may create agents takes over one that is trusted already, the operator for one.
    await using world = await setUp()

    const refusal = await readRefusal(
      world.admin.agents.create.mutate({ id: 'operator', name: 'Mallory', scopes: ['a:b'] }),
    )

    expect(refusal).toMatchObject({ code: 'agent_exists', status: 409 })
    const operator = await world.admin.agents.get.query({ id: 'operator' })
    expect(operator.name).toBe('Operator')
  })

  test('are created once however many ask at the same time', async () => {
    await using world = await setUp()

    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, async (_, i) =>
        world.admin.agents.create.mutate({ id: 'agent-a', name: `rival ${String(i)}` }),
      ),
    )

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  test.each([
    ['an id in capitals', { id: 'Agent-A', name: 'A' }],
    ['an id with a path in it', { id: '../agent', name: 'A' }],
    ['an empty name', { id: 'agent-a', name: ' ' }],
    ['a scope with a space', { id: 'agent-a', name: 'A', scopes: ['a:b c:d'] }],
    ['an empty scope', { id: 'agent-a', name: 'A', scopes: [''] }],
    ['a life of no seconds', { id: 'agent-a', name: 'A', accessTokenTtlSeconds: 0 }],
    ['a life above half an hour', { id: 'agent-a', name: 'A', accessTokenTtlSeconds: 1801 }],
  ])('are refused with %s', async (_, input) => {
    await using world = await setUp()

    const refusal = await readRefusal(world.admin.agents.create.mutate(input))

    expect(refusal).toMatchObject({ code: 'input_invalid', status: 400 })
  })

  test('are listed a page at a time, each once', async () => {
    await using world = await setUp()
    for (const id of ['agent-c', 'agent-a', 'agent-b']) {
      await world.admin.agents.create.mutate({ id, name: id })
    }

    const first = await world.admin.agents.list.query({ limit: 2 })
    const second = await world.admin.agents.list.query({ limit: 2, cursor: first.nextCursor })
    const third = await world.admin.agents.list.query({ limit: 2, cursor: second.nextCursor })

    expect([first, second, third].map(({ agents }) => agents.map(({ id }) => id))).toEqual([
      ['agent-a', 'agent-b'],
      ['agent-c', 'auth-server'],
      ['operator'],
    ])
    expect([first, second, third].map(({ nextCursor }) => nextCursor)).toEqual([
      'agent-b',
      'auth-server',
      undefined,
    ])
  })

  test('are listed without a next page when the last one is full', async () => {
    await using world = await setUp()

    const page = await world.admin.agents.list.query({ limit: 2 })

    expect(page.agents).toHaveLength(2)
    expect(page.nextCursor).toBeUndefined()
  })

  test('are listed without any input', async () => {
    await using world = await setUp()

    const page = await world.admin.agents.list.query()

    expect(page.agents.map(({ id }) => id)).toEqual(['auth-server', 'operator'])
  })

  test('keep every setting that an update does not name', async () => {
    // Attack: an update that fills in defaults takes scopes away, or gives a longer life, unasked.
    await using world = await setUp()
    const created = await world.admin.agents.create.mutate({
      id: 'agent-a',
      name: 'A',
      description: 'first',
      scopes: ['a:b'],
      audiences: ['agent-b'],
      scopesSupported: ['c:d'],
      accessTokenTtlSeconds: 60,
    })

    const untouched = await world.admin.agents.update.mutate({ id: 'agent-a', settings: {} })
    const updated = await world.admin.agents.update.mutate({
      id: 'agent-a',
      settings: { scopes: [] },
    })

    expect(untouched).toEqual(created)
    expect(updated).toEqual({ ...created, scopes: [] })
  })

  test('are deactivated once, and stay so', async () => {
    await using world = await setUp()
    await world.admin.agents.create.mutate({ id: 'agent-a', name: 'A' })
    const first = await world.admin.agents.deactivate.mutate({ id: 'agent-a' })
    world.server.clock.advance(5)

    const second = await world.admin.agents.deactivate.mutate({ id: 'agent-a' })

    expect(first).toMatchObject({ state: 'inactive', deactivatedAt: START_AT })
    expect(second).toEqual(first)
  })

  test('get no token from the moment they are deactivated', async () => {
    await using world = await setUp()
    const agent = await enroll(world.admin, 'agent-a', {
      scopes: ['agents:read'],
      audiences: [AUTH_SERVER_ID],
    })

    const before = await postToken(world.server, agent)
    await world.admin.agents.deactivate.mutate({ id: agent.id })
    const after = await postToken(world.server, agent)

    expect([before.status, after.status]).toEqual([200, 401])
  })
})

describe('client secrets', () => {
  test('are shown once, and work', async () => {
    await using world = await setUp()
    await world.admin.agents.create.mutate({
      id: 'agent-a',
      name: 'A',
      scopes: ['agents:read'],
      audiences: [AUTH_SERVER_ID],
    })

    const { clientId, clientSecret, ...summary } = await world.admin.clientSecrets.create.mutate({
      agentId: 'agent-a',
    })

    expect(isAgentSecret(clientSecret, 'clientSecret')).toBe(true)
    expect((await postToken(world.server, { id: clientId, secret: clientSecret })).status).toBe(200)
    const listed = await world.admin.clientSecrets.list.query({ agentId: 'agent-a' })
    expect(listed).toEqual({ clientSecrets: [{ ...summary, lastUsedAt: START_AT }] })
    expect(Object.keys(summary).toSorted()).toEqual([
      'active',
      'agentId',
      'clientSecretId',
      'createdAt',
      'label',
    ])
  })

  test('are deactivated at once', async () => {
    await using world = await setUp()
    const agent = await enroll(world.admin, 'agent-a')
    const { clientSecrets } = await world.admin.clientSecrets.list.query({ agentId: 'agent-a' })
    const clientSecretId = clientSecrets[0]?.clientSecretId ?? ''

    const ended = await world.admin.clientSecrets.deactivate.mutate({ clientSecretId })

    expect(ended).toMatchObject({ active: false, deactivatedAt: START_AT })
    expect((await postToken(world.server, agent)).status).toBe(401)
  })

  test('are shown as inactive from the second in which they expire', async () => {
    await using world = await setUp()
    await world.admin.agents.create.mutate({ id: 'agent-a', name: 'A' })
    const expiresAt = START_AT + 10
    await world.admin.clientSecrets.create.mutate({ agentId: 'agent-a', expiresAt })

    world.server.clock.set(expiresAt - 1)
    const before = await world.admin.clientSecrets.list.query({ agentId: 'agent-a' })
    world.server.clock.set(expiresAt)
    const after = await world.admin.clientSecrets.list.query({ agentId: 'agent-a' })

    expect([before, after].map(({ clientSecrets }) => clientSecrets[0]?.active)).toEqual([
      true,
      false,
    ])
  })
})

describe('API keys', () => {
  test('are shown once; a list has neither key nor hash', async () => {
    await using world = await setUp()
    await world.admin.agents.create.mutate({ id: 'agent-a', name: 'A', scopes: ['a:b', 'c:d'] })

    const { apiKey: key, ...summary } = await world.admin.apiKeys.create.mutate({
      agentId: 'agent-a',
      label: 'laptop',
      scopes: ['a:b'],
      expiresAt: START_AT + 60,
    })

    expect(isAgentSecret(key, 'apiKey')).toBe(true)
    expect(summary).toEqual({
      apiKeyId: expect.any(String),
      agentId: 'agent-a',
      label: 'laptop',
      scopes: ['a:b'],
      active: true,
      createdAt: START_AT,
      expiresAt: START_AT + 60,
    })
    expect(await world.admin.apiKeys.list.query({ agentId: 'agent-a' })).toEqual({
      apiKeys: [summary],
    })
  })

  test('are never for more than their agent may have', async () => {
    await using world = await setUp()
    await world.admin.agents.create.mutate({ id: 'agent-a', name: 'A', scopes: ['a:b'] })

    const refusal = await readRefusal(
      world.admin.apiKeys.create.mutate({ agentId: 'agent-a', scopes: ['a:b', 'c:d'] }),
    )

    expect(refusal).toMatchObject({ code: 'scope_not_allowed', status: 400 })
    expect(refusal.message).toContain('c:d')
    expect(await world.admin.apiKeys.list.query({ agentId: 'agent-a' })).toEqual({ apiKeys: [] })
  })

  test('are never for nothing', async () => {
    await using world = await setUp()

    const refusal = await readRefusal(
      world.admin.apiKeys.create.mutate({ agentId: 'operator', scopes: [] }),
    )

    expect(refusal).toMatchObject({ code: 'input_invalid', status: 400 })
  })

  test('open the admin API too, until the very next call after they are deactivated', async () => {
    await using world = await setUp()
    const created = await world.admin.apiKeys.create.mutate({
      agentId: 'operator',
      scopes: ['agents:read'],
    })
    await using client = createAgentClient<AdminRouter>({
      url: world.server.issuer,
      audience: AUTH_SERVER_ID,
      scopes: [],
      credentials: apiKey(created.apiKey),
    })

    const before = await client.agents.list.query()
    const beyond = await readRefusal(client.agents.deactivate.mutate({ id: 'operator' }))
    await world.admin.apiKeys.deactivate.mutate({ apiKeyId: created.apiKeyId })
    const after = await readRefusal(client.agents.list.query())

    expect(before.agents).toHaveLength(2)
    expect(beyond).toMatchObject({ code: 'scope_missing', status: 403 })
    expect(after).toMatchObject({ code: 'api_key_invalid', status: 401 })
  })
})

describe('whoever may only make credentials', () => {
  test('cannot make itself an operator with them', async () => {
    // Attack: a help desk that hands out keys makes one for the operator, with all of its power.
    await using world = await setUp()
    const desk = await enroll(world.admin, 'agent-desk', {
      scopes: ['keys:write', 'credentials:write'],
      audiences: [AUTH_SERVER_ID],
    })
    await world.admin.agents.create.mutate({ id: 'agent-a', name: 'A', scopes: ['notes:read'] })
    await using admin = connectAdmin(world.server, desk)

    const refusals = [
      await readRefusal(
        admin.apiKeys.create.mutate({ agentId: 'operator', scopes: ['agents:write'] }),
      ),
      await readRefusal(admin.clientSecrets.create.mutate({ agentId: 'operator' })),
    ]

    expect(refusals).toMatchObject([
      { code: 'scope_missing', message: 'Missing required scope: agents:write' },
      { code: 'scope_missing', message: 'Missing required scope: agents:write' },
    ])
    const key = await admin.apiKeys.create.mutate({ agentId: 'agent-a', scopes: ['notes:read'] })
    expect(isAgentSecret(key.apiKey, 'apiKey')).toBe(true)
  })
})

describe('refusals', () => {
  test('give each reason that the admin API has, with a hint', async () => {
    await using world = await setUp()
    const {
      agents,
      apiKeys,
      audit,
      clientKeys,
      clientSecrets,
      owners,
      signingKeys,
      taskGrants,
      tokens,
    } = world.admin
    await agents.create.mutate({ id: 'agent-idle', name: 'Idle' })
    const ended = await clientSecrets.create.mutate({ agentId: 'agent-idle' })
    await clientSecrets.deactivate.mutate({ clientSecretId: ended.clientSecretId })
    await agents.create.mutate({ id: 'agent-gone', name: 'Gone' })
    await agents.deactivate.mutate({ id: 'agent-gone' })
    const scopes = ['agents:read']
    const delegation = { to: ['agent-idle'], maxDepth: 0 }
    await agents.update.mutate({ id: 'operator', settings: { delegation } })
    const task = { agentId: 'operator', purpose: 'x', scopes, audiences: [AUTH_SERVER_ID] }

    const refusals = await Promise.all(
      [
        agents.get.query({ id: 'agent-x' }),
        agents.update.mutate({ id: 'agent-x', settings: {} }),
        agents.deactivate.mutate({ id: 'agent-x' }),
        clientSecrets.create.mutate({ agentId: 'agent-x' }),
        apiKeys.create.mutate({ agentId: 'agent-x', scopes }),
        agents.update.mutate({ id: 'agent-gone', settings: {} }),
        clientSecrets.create.mutate({ agentId: 'agent-gone' }),
        apiKeys.create.mutate({ agentId: 'agent-gone', scopes }),
        agents.create.mutate({ id: 'agent-gone', name: 'Back again' }),
        clientSecrets.deactivate.mutate({ clientSecretId: 'no-such-id' }),
        apiKeys.deactivate.mutate({ apiKeyId: 'no-such-id' }),
        clientSecrets.create.mutate({ agentId: 'operator', expiresAt: START_AT }),
        apiKeys.create.mutate({ agentId: 'operator', scopes, expiresAt: START_AT }),
        apiKeys.create.mutate({ agentId: 'operator', scopes: ['notes:read'] }),
        agents.deactivate.mutate({ id: AUTH_SERVER_ID }),
        agents.create.mutate({ id: 'agent-new', name: 'New', ownerId: 'nobody' }),
        owners.create.mutate({ id: 'system', name: 'Again' }),
        clientSecrets.rotate.mutate({ clientSecretId: ended.clientSecretId }),
        signingKeys.rotate.mutate(),
        audit.get.query({ id: 999_999 }),
        audit.prune.mutate({ beforeAt: START_AT + 1 }),
        world.admin.explain.mutate({ tokenId: 'no-such-token' }),
        clientKeys.create.mutate({ agentId: 'operator', jwk: { kty: 'oct', k: 'c2VjcmV0' } }),
        tokens.revoke.mutate({ agentId: 'operator', tokenId: 'no-such-id' }),
        taskGrants.revoke.mutate({ grantId: 'no-such-id' }),
        taskGrants.open.mutate({ ...task, audiences: ['agent-x'] }),
        taskGrants.delegate.mutate({ ...task, agentId: 'agent-idle' }),
        world.admin.approvals.get.query({ approvalId: 'no-such-id' }),
      ].map(readRefusal),
    )

    expect(refusals.map(({ code, status }) => `${code} ${String(status)}`)).toEqual([
      ...Array<string>(5).fill('agent_unknown 404'),
      ...Array<string>(3).fill('agent_inactive 409'),
      'agent_exists 409',
      ...Array<string>(2).fill('credential_unknown 404'),
      ...Array<string>(2).fill('expiry_in_the_past 400'),
      'scope_not_allowed 400',
      'agent_protected 409',
      'owner_unknown 404',
      'owner_exists 409',
      'credential_ended 409',
      'rotation_too_early 409',
      'audit_entry_unknown 404',
      'time_in_the_future 400',
      'nothing_to_explain 404',
      'key_unusable 400',
      'token_unknown 404',
      'grant_unknown 404',
      'audience_not_allowed 400',
      'delegation_not_allowed 400',
      'approval_unknown 404',
    ])
    // Of approvals.test.ts, audit-tail.test.ts, owners.test.ts and the tests of faults.
    const others = [
      'audit_position_lost',
      'approval_decided',
      'approval_not_yours',
      'call_mismatch',
      'store_unavailable',
      'owner_inactive',
      'owner_protected',
    ]
    const codes = refusals.map(({ code }) => code)
    expect(new Set([...codes, ...others])).toEqual(new Set(ADMIN_REASONS))
    for (const { hint, message } of refusals) expect([hint, message]).not.toContain('')
  })
})
