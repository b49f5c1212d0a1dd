import { describe, expect, test } from 'vitest'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { connectAdmin, enroll, readRefusal } from '../../test-support/admin-client.ts'
import { createPlace, readOperatorFile, startAuthServer } from '../../test-support/auth-server.ts'
import { getToken } from '../../test-support/oauth-request.ts'
import { createLogger } from '@deputy/serve'
import { AUTH_SERVER_ID, createAuthServer } from '../index.ts'

async function setUp() {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startAuthServer())
  const admin = stack.use(connectAdmin(server))
  const resources = stack.move()
  return { server, admin, [Symbol.asyncDispose]: async () => resources.disposeAsync() }
}

describe('who may call', () => {
  test('is decided by scope: each procedure refuses a token that has all scopes but its own', async () => {
    await using world = await setUp()
    const every = (await world.admin.agents.get.query({ id: AUTH_SERVER_ID })).scopesSupported
    const task = { agentId: 'operator', purpose: 'x', scopes: ['x'], audiences: ['auth-server'] }
    const calls = {
      'agents:read': [
        (admin) => admin.agents.list.query(),
        (admin) => admin.agents.get.query({ id: 'operator' }),
        (admin) => admin.registrationTokens.list.query(),
      ],
      'agents:write': [
        (admin) => admin.agents.create.mutate({ id: 'agent-a', name: 'A' }),
        (admin) => admin.agents.update.mutate({ id: 'operator', settings: {} }),
        (admin) => admin.agents.deactivate.mutate({ id: 'operator' }),
        (admin) => admin.registrationTokens.create.mutate({ expiresAt: 1 }),
        (admin) => admin.registrationTokens.deactivate.mutate({ initialAccessTokenId: 'x' }),
      ],
      'credentials:read': [
        (admin) => admin.clientSecrets.list.query({ agentId: 'operator' }),
        (admin) => admin.clientKeys.list.query({ agentId: 'operator' }),
      ],
      'credentials:write': [
        (admin) => admin.clientSecrets.create.mutate({ agentId: 'operator' }),
        (admin) => admin.clientSecrets.rotate.mutate({ clientSecretId: 'x' }),
        (admin) => admin.clientSecrets.deactivate.mutate({ clientSecretId: 'x' }),
        (admin) => admin.clientKeys.create.mutate({ agentId: 'operator', jwk: {} }),
        (admin) => admin.clientKeys.rotate.mutate({ clientKeyId: 'x', jwk: {} }),
        (admin) => admin.clientKeys.deactivate.mutate({ clientKeyId: 'x' }),
      ],
      'keys:read': [(admin) => admin.apiKeys.list.query({ agentId: 'operator' })],
      'keys:write': [
        (admin) => admin.apiKeys.create.mutate({ agentId: 'operator', scopes: ['keys:read'] }),
        (admin) => admin.apiKeys.rotate.mutate({ apiKeyId: 'x' }),
        (admin) => admin.apiKeys.deactivate.mutate({ apiKeyId: 'x' }),
      ],
      'grants:read': [
        (admin) => admin.taskGrants.list.query(),
        (admin) => admin.taskGrants.get.query({ grantId: 'x' }),
      ],
      'grants:write': [(admin) => admin.taskGrants.open.mutate(task)],
      'grants:delegate': [
        (admin) => admin.taskGrants.delegate.mutate(task),
        (admin) => admin.taskGrants.withdraw.mutate({ grantId: 'x' }),
      ],
      'approvals:read': [
        (admin) => admin.approvals.list.query(),
        (admin) => admin.approvals.get.query({ approvalId: 'x' }),
      ],
      'approvals:decide': [
        (admin) => admin.approvals.approve.mutate({ approvalId: 'x', inputSha256: 'x' }),
        (admin) => admin.approvals.deny.mutate({ approvalId: 'x' }),
      ],
      'tokens:revoke': [
        (admin) => admin.taskGrants.revoke.mutate({ grantId: 'x' }),
        (admin) => admin.tokens.revoke.mutate({ agentId: 'operator', tokenId: 'x' }),
      ],
      'audit:read': [
        (admin) => admin.audit.list.query(),
        (admin) => admin.audit.get.query({ id: 1 }),
      ],
      'owners:read': [
        (admin) => admin.owners.list.query(),
        (admin) => admin.owners.get.query({ id: 'system' }),
      ],
      'owners:write': [(admin) => admin.owners.create.mutate({ id: 'acme', name: 'Acme' })],
      'signing-keys:read': [(admin) => admin.signingKeys.list.query()],
      'signing-keys:write': [(admin) => admin.signingKeys.rotate.mutate()],
      'audit:write': [
        (admin) => admin.audit.verify.query(),
        (admin) => admin.audit.prune.mutate({ beforeAt: 1 }),
      ],
    } satisfies Record<string, ((admin: typeof world.admin) => Promise<unknown>)[]>

    const refusals = await Promise.all(
      Object.entries(calls).map(async ([scope, procedures]) => {
        const others = every.filter((other) => other !== scope)
        await using admin = connectAdmin(world.server, world.server.operator, others)
        return Promise.all(procedures.map(async (call) => readRefusal(call(admin))))
      }),
    )

    expect(Object.keys(calls)).toEqual(every)
    expect(refusals.flat()).toHaveLength(40)
    for (const refusal of refusals.flat()) {
      expect(refusal).toMatchObject({ code: 'scope_missing', status: 403 })
    }
  })

  test('is nobody without a credential, nor with a token for another agent', async () => {
    await using world = await setUp()
    const bob = await enroll(world.admin, 'agent-bob', { scopesSupported: ['agents:read'] })
    const alice = await enroll(world.admin, 'agent-alice', {
      scopes: ['agents:read'],
      audiences: [bob.id],
    })
    const forBob = await getToken(world.server, alice)
    const url = `${world.server.issuer}/trpc/agents.list`

    const anonymous = await fetch(url)
    const misdirected = await fetch(url, { headers: { authorization: `Bearer ${forBob}` } })

    expect([anonymous.status, misdirected.status]).toEqual([401, 401])
    expect(await misdirected.text()).toContain('token_audience_invalid')
  })

  test('is told where to read on, also below an issuer that ends in a slash', async () => {
    await using folder = await createTemporaryFolder()
    const place = await createPlace(folder.path)
    const issuer = `http://127.0.0.1:${String(place.port)}/`
    const logger = createLogger({ name: 'auth-server', level: 'silent' })
    await using _server = await createAuthServer({
      ...place,
      database: { file: place.databaseFile },
      issuer,
      logger,
    })

    const answer = await fetch(`${issuer}trpc/agents.list`)

    expect(answer.headers.get('www-authenticate')).toContain(
      `resource_metadata="${issuer}.well-known/oauth-protected-resource"`,
    )
    expect((await readOperatorFile(place.operatorFile)).issuer).toBe(issuer)
  })
})
