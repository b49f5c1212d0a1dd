// Calls that somebody has to approve, from the token request to the token, over the wire. Alice wants to pay
// at Bob's; Bob's `bob:pay` is for approved calls only.
import { AccessTokenClaims, hashInput } from '@deputy/auth/protocol'
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { connectAdmin, enroll, readRefusal } from '../../test-support/admin-client.ts'
import { startAuthServer } from '../../test-support/auth-server.ts'
import { readToken } from '../../test-support/delegation-world.ts'
import { introspect, postToken, revoke, type Answer } from '../../test-support/oauth-request.ts'
import { ACCESS_TOKEN_TYPE_URI, TOKEN_EXCHANGE_GRANT_TYPE } from '../grants/token-exchange.ts'
import { MAX_PENDING_PER_AGENT } from './require-approval.ts'

const INPUT = { to: 'bob', amountMinor: 500 }

async function createWorld() {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startAuthServer())
  const operator = stack.use(connectAdmin(server))
  const bob = await enroll(operator, 'agent-bob', {
    scopesSupported: ['bob:ask', 'bob:pay'],
    approvalScopes: ['bob:pay'],
    authorizationDetailsTypes: ['approved_call', 'budget'],
  })
  const carol = await enroll(operator, 'agent-carol', {
    scopes: ['bob:ask', 'bob:pay', 'carol:ask'],
    scopesSupported: ['carol:ask'],
    audiences: ['agent-bob'],
    delegation: { to: ['agent-bob'], maxDepth: 1 },
  })
  const alice = await enroll(operator, 'agent-alice', {
    scopes: ['bob:ask', 'bob:pay', 'carol:ask'],
    audiences: ['agent-bob', 'agent-carol'],
    delegation: { to: ['agent-carol'], maxDepth: 2 },
  })
  const resources = stack.move()
  const dispose = async (): Promise<void> => resources.disposeAsync()
  return { server, operator, alice, bob, carol, [Symbol.asyncDispose]: dispose }
}

type World = Awaited<ReturnType<typeof createWorld>>

async function nameCall(input: unknown = INPUT, more: object = { input }) {
  const call = { type: 'approved_call', procedure: 'pay', input_sha256: await hashInput(input) }
  return JSON.stringify([{ ...call, ...more }])
}

/** Alice asks for a token for one call. */
async function ask(world: World, form: Record<string, string> = {}): Promise<Answer> {
  return postToken(world.server, world.alice, {
    audience: 'agent-bob',
    scope: 'bob:pay',
    authorization_details: await nameCall(),
    ...form,
  })
}

const idOf = ({ body }: Answer): string => String(body['auth_req_id'])

async function approve({ operator }: World, approvalId: string) {
  const { inputSha256 } = await operator.approvals.get.query({ approvalId })
  return operator.approvals.approve.mutate({ approvalId, inputSha256, note: 'looks right' })
}

describe('a token for a call that somebody has to approve', () => {
  test('is waited for: the same request is pending, under one id, until somebody decides', async () => {
    await using world = await createWorld()

    const first = await ask(world, { binding_message: 'the rent of May' })
    world.server.clock.advance(5)
    const second = await ask(world)
    const third = await ask(world, { auth_req_id: idOf(first) })

    expect(first).toMatchObject({
      status: 400,
      body: { error: 'authorization_pending', interval: 5, expires_in: 900 },
    })
    expect(first.headers.get('cache-control')).toBe('no-store')
    expect(second.body).toMatchObject({ auth_req_id: idOf(first), expires_in: 895 })
    expect(third.body).toMatchObject({ auth_req_id: idOf(first) })
    const { approvals } = await world.operator.approvals.list.query()
    expect(approvals).toMatchObject([
      {
        id: idOf(first),
        state: 'pending',
        agentId: 'agent-alice',
        subjectId: 'agent-alice',
        audience: 'agent-bob',
        scopes: ['bob:pay'],
        procedure: 'pay',
        inputSha256: await hashInput(INPUT),
        input: INPUT,
        bindingMessage: 'the rent of May',
      },
    ])
  })

  test('is for that call alone once it is approved', async () => {
    await using world = await createWorld()
    const id = idOf(await ask(world))

    const decided = await approve(world, id)
    const answer = await ask(world, { auth_req_id: id })

    expect(decided).toMatchObject({ state: 'approved', decidedBy: 'operator', note: 'looks right' })
    const details = [
      {
        type: 'approved_call',
        procedure: 'pay',
        input_sha256: await hashInput(INPUT),
        identifier: id,
      },
    ]
    expect(answer).toMatchObject({
      status: 200,
      body: { scope: 'bob:pay', authorization_details: details },
    })
    const token = readToken(answer)
    expect(AccessTokenClaims.parse(decodeJwt(token)).authorization_details).toEqual(details)
    expect((await introspect(world.server, world.bob, token)).body).toMatchObject({
      active: true,
      authorization_details: details,
    })
  })

  test('can be had again by its id, where the answer was lost; without it, the next call is another', async () => {
    await using world = await createWorld()
    const id = idOf(await ask(world))
    await approve(world, id)
    await ask(world)

    const again = await ask(world, { auth_req_id: id })
    const next = await ask(world)

    expect(again.status).toBe(200)
    expect(next.body).toMatchObject({ error: 'authorization_pending' })
    expect(idOf(next)).not.toBe(id)
  })

  test('is refused once it is denied, also to who asks again', async () => {
    await using world = await createWorld()
    const id = idOf(await ask(world))
    await world.operator.approvals.deny.mutate({ approvalId: id, note: 'not today' })

    for (const answer of [await ask(world), await ask(world, { auth_req_id: id })]) {
      expect(answer).toMatchObject({
        status: 400,
        body: { error: 'access_denied', auth_req_id: id },
      })
      expect(answer.text).not.toContain('not today')
    }
  })

  test('is not to be had any more once the time is over, at the exact second', async () => {
    await using world = await createWorld()
    const asked = await ask(world, { requested_expiry: '60' })
    expect(asked.body).toMatchObject({ expires_in: 60 })
    world.server.clock.advance(60)

    expect((await ask(world, { auth_req_id: idOf(asked) })).body).toMatchObject({
      error: 'expired_token',
    })
    const approvalId = idOf(asked)
    expect(await world.operator.approvals.get.query({ approvalId })).toMatchObject({
      state: 'expired',
    })
    expect(await readRefusal(approve(world, approvalId))).toMatchObject({
      code: 'approval_decided',
    })
    expect(idOf(await ask(world))).not.toBe(approvalId)
  })

  test('leaves the agent five minutes to fetch it, however late somebody approves', async () => {
    await using world = await createWorld()
    const id = idOf(await ask(world, { requested_expiry: '60' }))
    world.server.clock.advance(59)
    await approve(world, id)

    world.server.clock.advance(299)
    expect((await ask(world, { auth_req_id: id })).status).toBe(200)
    world.server.clock.advance(1)
    expect((await ask(world, { auth_req_id: id })).body).toMatchObject({ error: 'expired_token' })
  })

  test('is on the audit trail: asked for once, decided, issued', async () => {
    await using world = await createWorld()
    const id = idOf(await ask(world))
    await ask(world)
    await approve(world, id)
    await ask(world)

    const { entries } = await world.operator.audit.list.query({ limit: 100 })
    const about = entries.filter(({ target }) => target?.id === id)
    expect(about.map(({ actorId, event }) => [event, actorId])).toEqual([
      ['token.issued', 'agent-alice'],
      ['approval.approved', 'operator'],
      ['approval.requested', 'agent-alice'],
    ])
    expect(entries.some(({ reason }) => reason === 'authorization_pending')).toBe(false)
  })
})

describe('a request that nobody is asked about', () => {
  test.each<[what: string, form: Record<string, string>, error: string]>([
    ['an input that is not what the hash says', {}, 'invalid_authorization_details'],
    ['a scope that the client may not have', { scope: 'bob:close' }, 'invalid_scope'],
    ['another agent', { audience: 'agent-mallory' }, 'invalid_target'],
    ['an id of nobody', { auth_req_id: 'approval-1' }, 'invalid_grant'],
    ['an id without a call', { authorization_details: '', auth_req_id: 'a' }, 'invalid_request'],
    ['a message of several lines', { binding_message: 'pay\n\nme' }, 'invalid_request'],
    ['a message that turns around', { binding_message: 'a\u202Eb' }, 'invalid_request'],
    ['a time that is none', { requested_expiry: 'soon' }, 'invalid_request'],
    ['too long a time', { requested_expiry: '86401' }, 'invalid_request'],
    ['may_act that is not allowed', { may_act: 'agent-mallory' }, 'invalid_request'],
  ])('names %s', async (what, form, error) => {
    await using world = await createWorld()
    const details = what.startsWith('an input')
      ? { authorization_details: await nameCall(INPUT, { input: { ...INPUT, to: 'mallory' } }) }
      : {}

    const answer = await ask(world, { ...form, ...details })

    expect(answer).toMatchObject({ status: 400, body: { error } })
    expect((await world.operator.approvals.list.query()).approvals).toEqual([])
  })

  test.each([
    ['a member that nobody knows', { input: INPUT, note: 'trust me' }],
    ['an identifier of its own', { input: INPUT, identifier: 'approval-1' }],
    ['no hash', { input: INPUT, input_sha256: 'abc' }],
  ])('has %s', async (_, more) => {
    await using world = await createWorld()

    const answer = await ask(world, { authorization_details: await nameCall(INPUT, more) })

    expect(answer.body).toMatchObject({ error: 'invalid_authorization_details' })
  })

  test('is for an agent that does not know approved calls', async () => {
    await using world = await createWorld()

    const answer = await ask(world, { audience: 'agent-carol', scope: 'carol:ask' })

    expect(answer.body).toMatchObject({ error: 'invalid_authorization_details' })
  })

  test('comes from an agent that has too many waiting already', async () => {
    await using world = await createWorld()
    for (let n = 0; n < MAX_PENDING_PER_AGENT; n += 1) {
      await ask(world, { authorization_details: await nameCall({ n }) })
    }

    const answer = await ask(world, { authorization_details: await nameCall({ n: 'more' }) })

    expect(answer.body).toMatchObject({ error: 'invalid_request' })
    expect((await ask(world, { authorization_details: await nameCall({ n: 1 }) })).body) //
      .toMatchObject({ error: 'authorization_pending' })
  })
})

describe('an approval', () => {
  // Attack: with somebody else's id, or with one's own for something else.
  test('is no good for another agent, and for no other call', async () => {
    await using world = await createWorld()
    const { carol, server } = world
    const id = idOf(await ask(world))
    await approve(world, id)
    const form = {
      audience: 'agent-bob',
      scope: 'bob:pay',
      authorization_details: await nameCall(),
      auth_req_id: id,
    }

    const answers = [
      await postToken(server, carol, form),
      await ask(world, { auth_req_id: id, scope: 'bob:pay bob:ask' }),
      await ask(world, { auth_req_id: id, authorization_details: await nameCall({ to: 'me' }) }),
    ]

    expect(answers.map(({ body }) => body['error'])).toEqual(Array(3).fill('invalid_grant'))
  })

  test('names the call that was looked at, by its hash', async () => {
    await using world = await createWorld()
    const approvalId = idOf(await ask(world))
    const inputSha256 = await hashInput({ ...INPUT, amountMinor: 5 })

    const approval = world.operator.approvals.approve.mutate({ approvalId, inputSha256 })

    expect(await readRefusal(approval)).toMatchObject({ code: 'call_mismatch', status: 409 })
    expect((await ask(world)).body).toMatchObject({ error: 'authorization_pending' })
  })

  test('is decided once', async () => {
    await using world = await createWorld()
    const approvalId = idOf(await ask(world))
    await approve(world, approvalId)

    const denial = world.operator.approvals.deny.mutate({ approvalId })

    expect(await readRefusal(denial)).toMatchObject({ code: 'approval_decided' })
    expect((await ask(world)).status).toBe(200)
  })

  // Attack: an agent with the power to decide, which decides about itself.
  test('is not given by the agent that asks for it', async () => {
    await using world = await createWorld()
    const { operator, server } = world
    await operator.agents.update.mutate({
      id: 'agent-alice',
      settings: {
        scopes: ['bob:pay', 'approvals:read', 'approvals:decide'],
        audiences: ['agent-bob', 'auth-server'],
      },
    })
    await using self = connectAdmin(server, world.alice)
    const approvalId = idOf(await ask(world))
    const inputSha256 = await hashInput(INPUT)

    const approval = self.approvals.approve.mutate({ approvalId, inputSha256 })

    expect(await readRefusal(approval)).toMatchObject({ code: 'approval_not_yours', status: 403 })
    expect((await ask(world)).body).toMatchObject({ error: 'authorization_pending' })
  })

  test('is invisible to another owner', async () => {
    await using world = await createWorld()
    const { operator, server } = world
    await operator.owners.create.mutate({ id: 'other', name: 'Other' })
    const mallory = await enroll(operator, 'agent-mallory', {
      ownerId: 'other',
      scopes: ['approvals:read', 'approvals:decide'],
      audiences: ['auth-server'],
    })
    await using stranger = connectAdmin(server, mallory)
    const approvalId = idOf(await ask(world))
    const inputSha256 = await hashInput(INPUT)

    expect((await stranger.approvals.list.query()).approvals).toEqual([])
    const refusals = await Promise.all(
      [
        stranger.approvals.get.query({ approvalId }),
        stranger.approvals.approve.mutate({ approvalId, inputSha256 }),
        stranger.approvals.deny.mutate({ approvalId }),
      ].map(readRefusal),
    )

    const unknown = expect.objectContaining({ code: 'approval_unknown', status: 404 })
    expect(refusals).toEqual([unknown, unknown, unknown])
  })
})

describe('a scope that is for approved calls only', () => {
  test('is not given where nothing is asked for by name', async () => {
    await using world = await createWorld()

    const answer = await ask(world, { scope: '', authorization_details: '' })

    expect(answer).toMatchObject({ status: 200, body: { scope: 'bob:ask' } })
  })

  test('is refused where no call is named, and the answer says how to get it', async () => {
    await using world = await createWorld()

    const answer = await ask(world, { scope: 'bob:ask bob:pay', authorization_details: '' })

    expect(answer).toMatchObject({
      status: 400,
      body: {
        error: 'invalid_scope',
        error_description: expect.stringContaining('approved_call') as string,
      },
    })
  })

  test('is left out for a client that takes what it gets', async () => {
    await using world = await createWorld()
    await world.operator.agents.update.mutate({
      id: 'agent-alice',
      settings: { scopePolicy: 'partial' },
    })

    const answer = await ask(world, { scope: 'bob:ask bob:pay', authorization_details: '' })

    expect(answer).toMatchObject({ status: 200, body: { scope: 'bob:ask' } })
  })

  // Attack: around the approval with a key, which nobody asks about its calls.
  test('is never in an API key', async () => {
    await using world = await createWorld()
    const { apiKey } = await world.operator.apiKeys.create.mutate({
      agentId: 'agent-alice',
      label: 'script',
      scopes: ['bob:ask', 'bob:pay'],
    })

    expect((await introspect(world.server, world.bob, apiKey)).body).toMatchObject({
      active: true,
      scope: 'bob:ask',
    })
  })
})

describe('down a chain', () => {
  /** Carol, whom Alice called, wants to pay at Bob's in Alice's name. */
  async function exchange(world: World, form: Record<string, string> = {}): Promise<Answer> {
    const { alice, carol, server } = world
    const called = await postToken(server, alice, {
      audience: 'agent-carol',
      scope: 'carol:ask bob:pay bob:ask',
    })
    return postToken(server, carol, {
      grant_type: TOKEN_EXCHANGE_GRANT_TYPE,
      subject_token: readToken(called),
      subject_token_type: ACCESS_TOKEN_TYPE_URI,
      audience: 'agent-bob',
      scope: 'bob:pay',
      authorization_details: await nameCall(),
      ...form,
    })
  }

  test('the approval shows whose authority it is and who acts, and outlives the token that it began with', async () => {
    await using world = await createWorld()
    const id = idOf(await exchange(world))
    expect(await world.operator.approvals.get.query({ approvalId: id })).toMatchObject({
      agentId: 'agent-carol',
      subjectId: 'agent-alice',
      actors: ['agent-carol'],
    })

    world.server.clock.advance(800)
    await approve(world, id)
    const claims = AccessTokenClaims.parse(decodeJwt(readToken(await exchange(world))))

    expect(claims).toMatchObject({
      sub: 'agent-alice',
      act: { sub: 'agent-carol' },
      authorization_details: [{ type: 'approved_call', identifier: id }],
    })
  })

  test('a scope that needs approval stays behind, and the tree says why', async () => {
    await using world = await createWorld()

    const answer = await exchange(world, { scope: '', authorization_details: '' })

    expect(answer.body).toMatchObject({ scope: 'bob:ask' })
    const { chain } = await world.operator.explain.mutate({ token: readToken(answer) })
    expect(chain?.hops.at(-1)?.dropped).toContainEqual({ scope: 'bob:pay', rule: 'needs_approval' })
  })

  // Attack: one approved call made into a token that can be handed on.
  test('a token for an approved call is not exchanged', async () => {
    await using world = await createWorld()
    const id = idOf(await ask(world))
    await approve(world, id)
    const token = readToken(await ask(world))

    for (const client of [world.alice, world.bob]) {
      const answer = await postToken(world.server, client, {
        grant_type: TOKEN_EXCHANGE_GRANT_TYPE,
        subject_token: token,
        subject_token_type: ACCESS_TOKEN_TYPE_URI,
        audience: 'agent-bob',
      })
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
    }
  })

  test('nobody is asked about a chain that was revoked, nor given what was approved', async () => {
    await using world = await createWorld()
    const { alice, carol, server } = world
    const called = readToken(
      await postToken(server, alice, { audience: 'agent-carol', scope: 'carol:ask bob:pay' }),
    )
    const form = {
      grant_type: TOKEN_EXCHANGE_GRANT_TYPE,
      subject_token: called,
      subject_token_type: ACCESS_TOKEN_TYPE_URI,
      audience: 'agent-bob',
      scope: 'bob:pay',
      authorization_details: await nameCall(),
    }
    const id = idOf(await postToken(server, carol, form))
    await approve(world, id)
    await revoke(server, alice, called)

    const answers = [
      await postToken(server, carol, { ...form, auth_req_id: id }),
      await postToken(server, carol, { ...form, authorization_details: await nameCall({ n: 1 }) }),
    ]

    expect(answers.map(({ body }) => body['error'])).toEqual(['invalid_request', 'invalid_request'])
    expect((await world.operator.approvals.list.query()).approvals).toEqual([])
  })
})
