// An approval is given to a call under the authority that it was asked for with. It does not outlive that.
import { hashInput } from '@deputy/auth/protocol'
import { expect, test } from 'vitest'
import { connectAdmin, enroll, readRefusal } from '../../test-support/admin-client.ts'
import { startAuthServer } from '../../test-support/auth-server.ts'
import { postToken } from '../../test-support/oauth-request.ts'

/** Alice may pay at Bob's once somebody approved it, by herself and under a task. */
async function setUp() {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startAuthServer())
  const admin = stack.use(connectAdmin(server))
  await enroll(admin, 'agent-bob', {
    scopesSupported: ['bob:pay'],
    approvalScopes: ['bob:pay'],
    authorizationDetailsTypes: ['approved_call', 'task_grant'],
  })
  const alice = await enroll(admin, 'agent-alice', {
    scopes: ['bob:pay'],
    audiences: ['agent-bob'],
  })
  const { id: grantId } = await admin.taskGrants.open.mutate({
    agentId: 'agent-alice',
    purpose: 'to pay the rent',
    scopes: ['bob:pay'],
    audiences: ['agent-bob'],
    ttlSeconds: 7200,
  })
  const call = { type: 'approved_call', procedure: 'pay', input_sha256: await hashInput({ n: 1 }) }
  const ask = async (isUnderTask: boolean, form: Record<string, string> = {}) => {
    const task = isUnderTask ? [{ type: 'task_grant', identifier: grantId }] : []
    return postToken(server, alice, {
      audience: 'agent-bob',
      scope: 'bob:pay',
      requested_expiry: '7200',
      authorization_details: JSON.stringify([call, ...task]),
      ...form,
    })
  }
  const approve = async (approvalId: string) =>
    admin.approvals.approve.mutate({ approvalId, inputSha256: call.input_sha256 })
  const resources = stack.move()
  const dispose = async (): Promise<void> => resources.disposeAsync()
  return { server, admin, alice, grantId, ask, approve, [Symbol.asyncDispose]: dispose }
}

test('what was approved under a task is not had without it, once the task was revoked', async () => {
  // Attack: the task is stopped because its agent has gone wrong. The agent asks for the same call in its own name,
  // and what was approved for the task is given to it.
  await using world = await setUp()
  const { body } = await world.ask(true)
  const id = String(body['auth_req_id'])
  await world.approve(id)
  await world.admin.taskGrants.revoke.mutate({ grantId: world.grantId })

  const byId = await world.ask(false, { auth_req_id: id })
  const anew = await world.ask(false)

  expect(byId.body).toMatchObject({ error: 'expired_token', auth_req_id: id })
  expect(anew.body).toMatchObject({ error: 'authorization_pending' })
  expect(anew.body['auth_req_id']).not.toBe(id)
})

test('nor later, when nothing remembers the revocation any more', async () => {
  await using world = await setUp()
  const { body } = await world.ask(true)
  const id = String(body['auth_req_id'])
  await world.approve(id)
  await world.admin.taskGrants.revoke.mutate({ grantId: world.grantId })
  world.server.clock.advance(3600)

  expect((await world.ask(false, { auth_req_id: id })).body).toMatchObject({
    error: 'expired_token',
  })
})

test('what waits under a task that was revoked cannot be approved any more', async () => {
  await using world = await setUp()
  const { body } = await world.ask(true)
  const id = String(body['auth_req_id'])
  await world.admin.taskGrants.revoke.mutate({ grantId: world.grantId })

  expect(await readRefusal(world.approve(id))).toMatchObject({ code: 'approval_decided' })
  expect((await world.admin.approvals.list.query()).approvals).toEqual([])
})

test('what was approved by a secret ends with the secret', async () => {
  // Attack: a stolen secret gets a call approved. The secret is ended, and another one of the thief's goes on.
  await using world = await setUp()
  const id = String((await world.ask(false)).body['auth_req_id'])
  await world.approve(id)
  const { admin, alice, server } = world
  const { clientSecrets } = await admin.clientSecrets.list.query({ agentId: alice.id })
  const other = await admin.clientSecrets.create.mutate({ agentId: alice.id })
  await admin.clientSecrets.deactivate.mutate({
    clientSecretId: clientSecrets[0]?.clientSecretId ?? '',
  })

  const answer = await postToken(
    server,
    { id: alice.id, secret: other.clientSecret },
    {
      audience: 'agent-bob',
      scope: 'bob:pay',
      auth_req_id: id,
      authorization_details: JSON.stringify([
        { type: 'approved_call', procedure: 'pay', input_sha256: await hashInput({ n: 1 }) },
      ]),
    },
  )

  expect(answer.body).toMatchObject({ error: 'expired_token' })
})
