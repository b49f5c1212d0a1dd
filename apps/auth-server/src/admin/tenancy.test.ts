// What belongs to one owner is invisible to another, in every procedure of the admin API.
import { createProofKey } from '../../../../test/support/test-proof.ts'
import { toClientError } from '../../../../packages/client/src/index.ts'
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { connectAdmin, enroll, type AdminClient } from '../../test-support/admin-client.ts'
import { startAuthServer } from '../../test-support/auth-server.ts'
import { START_AT } from '../../test-support/clock.ts'
import {
  getToken,
  introspect,
  postToken,
  readOAuthError,
} from '../../test-support/oauth-request.ts'
import { AUTH_SERVER_ID, OWNER_SCOPES, SYSTEM_SCOPES } from './admin-scopes.ts'

/** Two organisations with an administrator each; Acme has a notes agent and one that calls it. */
async function setUp() {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startAuthServer())
  const operator = stack.use(connectAdmin(server))
  const administrators = []
  for (const ownerId of ['acme', 'rival']) {
    await operator.owners.create.mutate({ id: ownerId, name: ownerId })
    const client = await enroll(operator, `${ownerId}-admin`, {
      ownerId,
      scopes: [...OWNER_SCOPES],
      audiences: [AUTH_SERVER_ID],
    })
    administrators.push(stack.use(connectAdmin(server, client, OWNER_SCOPES)))
  }
  const [acme, rival] = administrators
  if (acme === undefined || rival === undefined) throw new TypeError('not both were made')
  const notes = await enroll(acme, 'acme-notes', { scopesSupported: ['notes:read', 'notes:write'] })
  const scopes = ['notes:read', 'notes:write']
  const caller = await enroll(acme, 'acme-caller', { scopes, audiences: [notes.id] })
  const spy = await enroll(rival, 'rival-spy', { scopes, audiences: [notes.id] })
  const resources = stack.move()
  const close = async (): Promise<void> => resources.disposeAsync()
  return { server, operator, acme, rival, notes, caller, spy, [Symbol.asyncDispose]: close }
}

const underTask = (identifier: string) => ({
  authorization_details: JSON.stringify([{ type: 'task_grant', identifier }]),
})

async function readReason(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'answered',
    (error: unknown) => toClientError(error).code,
  )
}

describe("another owner's things", () => {
  test('are not there, in any procedure', async () => {
    await using world = await setUp()
    const { acme } = world
    const secret = await acme.clientSecrets.create.mutate({ agentId: 'acme-caller' })
    const key = await acme.apiKeys.create.mutate({ agentId: 'acme-caller', scopes: ['notes:read'] })
    const registration = await acme.registrationTokens.create.mutate({ expiresAt: START_AT + 60 })
    const { publicJwk } = await createProofKey()
    const { clientKeyId } = await acme.clientKeys.create.mutate({
      agentId: 'acme-caller',
      jwk: { ...publicJwk },
    })
    const { apiKeyId } = key
    const { clientSecretId } = secret
    const { initialAccessTokenId } = registration
    const agentId = 'acme-caller'
    const task = { purpose: 'x', scopes: ['notes:read'], audiences: [world.notes.id] }
    const { id: grantId } = await acme.taskGrants.open.mutate({ agentId, ...task })
    const calls: Record<string, (admin: AdminClient) => Promise<unknown>> = {
      'agents.get': (admin) => admin.agents.get.query({ id: agentId }),
      'agents.update': (admin) =>
        admin.agents.update.mutate({ id: agentId, settings: { name: 'x' } }),
      'agents.deactivate': (admin) => admin.agents.deactivate.mutate({ id: agentId }),
      'agents.create for it': (admin) =>
        admin.agents.create.mutate({ id: 'mole', name: 'Mole', ownerId: 'acme' }),
      'clientSecrets.create': (admin) => admin.clientSecrets.create.mutate({ agentId }),
      'clientSecrets.rotate': (admin) => admin.clientSecrets.rotate.mutate({ clientSecretId }),
      'clientSecrets.deactivate': (admin) =>
        admin.clientSecrets.deactivate.mutate({ clientSecretId }),
      'clientKeys.create': (admin) =>
        admin.clientKeys.create.mutate({ agentId, jwk: { ...publicJwk } }),
      'clientKeys.rotate': (admin) =>
        admin.clientKeys.rotate.mutate({ clientKeyId, jwk: { ...publicJwk } }),
      'clientKeys.deactivate': (admin) => admin.clientKeys.deactivate.mutate({ clientKeyId }),
      'apiKeys.create': (admin) => admin.apiKeys.create.mutate({ agentId, scopes: ['notes:read'] }),
      'apiKeys.rotate': (admin) => admin.apiKeys.rotate.mutate({ apiKeyId }),
      'apiKeys.deactivate': (admin) => admin.apiKeys.deactivate.mutate({ apiKeyId }),
      'registrationTokens.deactivate': (admin) =>
        admin.registrationTokens.deactivate.mutate({ initialAccessTokenId }),
      'registrationTokens.create for it': (admin) =>
        admin.registrationTokens.create.mutate({ ownerId: 'acme', expiresAt: START_AT + 60 }),
      'taskGrants.open': (admin) => admin.taskGrants.open.mutate({ agentId, ...task }),
      'taskGrants.delegate': (admin) => admin.taskGrants.delegate.mutate({ agentId, ...task }),
      'taskGrants.get': (admin) => admin.taskGrants.get.query({ grantId }),
      'taskGrants.revoke': (admin) => admin.taskGrants.revoke.mutate({ grantId }),
      'taskGrants.withdraw': (admin) => admin.taskGrants.withdraw.mutate({ grantId }),
      'tokens.revoke': (admin) => admin.tokens.revoke.mutate({ agentId, tokenId: 'x' }),
    }

    const reasons = Object.fromEntries(
      await Promise.all(
        Object.entries(calls).map(async ([name, call]) => [
          name,
          await readReason(call(world.rival)),
        ]),
      ),
    )

    for (const [name, reason] of Object.entries(reasons)) {
      expect(`${name}: ${String(reason)}`).toMatch(/: (agent|credential|grant|owner)_unknown$/)
    }
    // Nothing was changed by the attempts.
    expect(await acme.agents.get.query({ id: agentId })).toMatchObject({ name: agentId })
    const { clientSecrets } = await acme.clientSecrets.list.query({ agentId })
    expect(clientSecrets.filter(({ active }) => active)).toHaveLength(2)
  })

  test('are in no list', async () => {
    await using world = await setUp()
    await world.acme.apiKeys.create.mutate({ agentId: 'acme-caller', scopes: ['notes:read'] })
    await world.acme.registrationTokens.create.mutate({ expiresAt: START_AT + 60 })
    await world.acme.taskGrants.open.mutate({
      agentId: 'acme-caller',
      purpose: 'x',
      scopes: ['notes:read'],
      audiences: [world.notes.id],
    })

    const { agents } = await world.rival.agents.list.query({ limit: 200 })
    const clientKeys = await world.rival.clientKeys.list.query({ agentId: 'acme-caller' })
    expect(clientKeys.clientKeys).toEqual([])
    const secrets = await world.rival.clientSecrets.list.query({ agentId: 'acme-caller' })
    const keys = await world.rival.apiKeys.list.query({ agentId: 'acme-caller' })
    const tokens = await world.rival.registrationTokens.list.query()
    const { grants } = await world.rival.taskGrants.list.query()

    expect(agents.map(({ id }) => id)).toEqual(['rival-admin', 'rival-spy'])
    expect([secrets.clientSecrets, keys.apiKeys, tokens.registrationTokens]).toEqual([[], [], []])
    expect(grants).toEqual([])
  })

  test('cannot be called, unless they are shared, and then as far as they are', async () => {
    await using world = await setUp()
    const audience = world.notes.id
    const hidden = await postToken(world.server, world.spy, { audience })
    const absent = await postToken(world.server, world.spy, { audience: 'acme-nothing' })

    await world.acme.agents.update.mutate({
      id: audience,
      settings: { sharedScopes: ['notes:read'] },
    })
    const shared = await postToken(world.server, world.spy, { audience })
    const beyond = await postToken(world.server, world.spy, { audience, scope: 'notes:write' })

    expect(readOAuthError(hidden)).toEqual({ status: 400, error: 'invalid_target' })
    expect(hidden.text).toBe(absent.text)
    expect(shared.body).toMatchObject({ scope: 'notes:read' })
    expect(readOAuthError(beyond)).toEqual({ status: 400, error: 'invalid_scope' })
  })

  test('are out of reach of an API key as well', async () => {
    // Attack: the rival makes a key for a scope and an audience that only Acme's agents may have.
    await using world = await setUp()
    const { apiKey } = await world.rival.apiKeys.create.mutate({
      agentId: 'rival-spy',
      scopes: ['notes:read'],
    })

    const answer = await introspect(world.server, world.notes, apiKey)

    expect(answer.text).toBe('{"active":false}')
  })

  test('are not counted by a preview in the name of an agent of one’s own', async () => {
    // Attack: each token says which credential its path begins with. The rival asks what would end with it.
    await using world = await setUp()
    const token = await getToken(world.server, world.caller)
    const credentialId = z.object({ grant_path: z.array(z.string()) }).parse(decodeJwt(token))
      .grant_path[0]
    const ask = async (admin: AdminClient, agentId: string) =>
      admin.revocations.preview.query({
        kind: 'credential',
        agentId,
        credentialId: credentialId ?? '',
      })
    const { id: grantId } = await world.acme.taskGrants.open.mutate({
      agentId: 'acme-caller',
      purpose: 'x',
      scopes: ['notes:read'],
      audiences: [world.notes.id],
    })
    const form = { ...underTask(grantId), audience: world.notes.id }
    await postToken(world.server, world.caller, form)

    const own = await ask(world.acme, 'acme-caller')
    const rival = await ask(world.rival, 'rival-spy')

    expect(own).toMatchObject({ agents: ['acme-caller'], liveTokens: 2 })
    expect(rival).toMatchObject({ liveTokens: 0, derivedGrants: 0, verifiers: [] })
    expect(rival.agents).toEqual(['rival-spy'])
  })

  test('are not told of by explaining a request that they refused', async () => {
    // Attack: the rival's agent asks for scopes at an agent that it cannot see, and has the refusal explained.
    await using world = await setUp()
    const explain = async (audience: string) => {
      const form = { audience, scope: 'notes:read notes:delete' }
      const refused = await postToken(world.server, world.spy, form)
      expect(refused.status).toBe(400)
      const { entries } = await world.rival.audit.list.query({ event: 'token.refused', limit: 1 })
      const correlationId = entries[0]?.correlationId ?? ''
      const { refused: told } = await world.rival.explain.mutate({ correlationId })
      return told?.missing
    }
    const scopes = ['notes:read', 'notes:delete']
    await world.rival.agents.update.mutate({ id: 'rival-spy', settings: { scopes } })

    const hidden = await explain(world.notes.id)
    const absent = await explain('acme-nothing')
    const settings = { sharedScopes: ['notes:read'] }
    await world.acme.agents.update.mutate({ id: world.notes.id, settings })
    const shared = await explain(world.notes.id)

    expect(hidden).toEqual(absent)
    expect(shared).toEqual([{ scope: 'notes:delete', rule: 'not_known_to_target', couldGrant: [] }])
  })

  test('are not told of by explaining what became of a token that was handed over', async () => {
    // Attack: an agent that is called by another owner's has the refusal explained of what it tried with the
    // caller's token, and is told of the whole task that the caller works on.
    await using world = await setUp()
    const { acme, rival, server } = world
    await rival.agents.update.mutate({
      id: 'rival-spy',
      settings: { scopesSupported: ['notes:read'], sharedScopes: ['notes:read'] },
    })
    const audiences = [world.notes.id, 'rival-spy']
    await acme.agents.update.mutate({ id: 'acme-caller', settings: { audiences } })
    const { id: grantId } = await acme.taskGrants.open.mutate({
      agentId: 'acme-caller',
      purpose: 'a secret project',
      scopes: ['notes:read', 'notes:write'],
      audiences,
    })
    const form = { ...underTask(grantId), audience: 'rival-spy', scope: 'notes:read' }
    const token = await getToken(server, world.caller, form)
    const refused = await postToken(server, world.spy, {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      audience: world.notes.id,
      scope: 'notes:write',
    })
    expect(refused.status).toBe(400)
    const correlationId = (await rival.audit.list.query({ event: 'token.refused', limit: 1 }))
      .entries[0]?.correlationId
    const explain = async (admin: AdminClient) =>
      admin.explain.mutate({ correlationId: correlationId ?? '' })

    const told = await explain(rival)

    expect(told.chain).toBeUndefined()
    expect(JSON.stringify(told)).not.toContain(grantId)
    expect((await explain(world.operator)).chain?.hops.map(({ id }) => id)).toContain(grantId)
  })
})

describe('an owner', () => {
  test('cannot make an agent that administers the server', async () => {
    // Attack: an owner's administrator grants its own agent what only the system's agents may have.
    await using world = await setUp()
    const mole = await enroll(world.rival, 'rival-mole', {
      scopes: [...OWNER_SCOPES, ...SYSTEM_SCOPES],
      audiences: [AUTH_SERVER_ID],
    })

    const whole = await postToken(world.server, mole)
    const wished = await postToken(world.server, mole, { scope: 'owners:write' })

    expect(String(whole.body['scope']).split(' ')).toEqual([...OWNER_SCOPES])
    expect(readOAuthError(wished)).toEqual({ status: 400, error: 'invalid_scope' })
  })

  test('administers its own agents', async () => {
    await using world = await setUp()

    await world.acme.agents.update.mutate({ id: 'acme-caller', settings: { name: 'Caller' } })
    const token = await getToken(world.server, world.caller)

    expect((await introspect(world.server, world.notes, token)).body).toMatchObject({
      active: true,
    })
    expect(await world.acme.agents.get.query({ id: 'acme-caller' })).toMatchObject({
      name: 'Caller',
      ownerId: 'acme',
    })
  })

  test('loses its power over others when its administrator is ended, though its token lives', async () => {
    await using world = await setUp()
    await world.rival.agents.list.query()

    await world.operator.agents.deactivate.mutate({ id: 'rival-admin' })

    expect(await readReason(world.rival.agents.list.query())).not.toBe('answered')
  })
})

describe("the server's operator", () => {
  test('sees the agents of every owner, and makes agents for each', async () => {
    await using world = await setUp()

    const { agents } = await world.operator.agents.list.query({ limit: 200 })
    const made = await world.operator.agents.create.mutate({
      id: 'acme-more',
      name: 'More',
      ownerId: 'acme',
    })

    expect(new Set(agents.map(({ ownerId }) => ownerId))).toEqual(
      new Set(['system', 'acme', 'rival']),
    )
    expect(made.ownerId).toBe('acme')
  })
})
