import { AccessTokenClaims } from '@deputy/auth/protocol'
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { connectAdmin, readRefusal } from '../../test-support/admin-client.ts'
import { START_AT } from '../../test-support/clock.ts'
import { BUDGET, createDelegationWorld, readToken } from '../../test-support/delegation-world.ts'
import {
  getToken,
  introspect,
  postToken,
  readOAuthError,
} from '../../test-support/oauth-request.ts'

describe('a task grant', () => {
  test('gives its agent tokens with its limits, that end with it', async () => {
    await using world = await createDelegationWorld()
    const { id } = await world.open()
    world.server.clock.advance(500)

    const claims = AccessTokenClaims.parse(decodeJwt(readToken(await world.ask(id))))

    expect(claims).toMatchObject({
      sub: 'agent-alice',
      client_id: 'agent-alice',
      aud: 'agent-bob',
      scope: 'bob:ask carol:ask',
      exp: START_AT + 600,
      authorization_details: [{ ...BUDGET, identifier: id }],
      grant_path: [expect.any(String), id, claims.jti],
    })
    expect(claims.act).toBeUndefined()
  })

  test('hands its limits on to everything below it', async () => {
    await using world = await createDelegationWorld()
    const { id } = await world.open()

    const below = decodeJwt(readToken(await world.exchange(readToken(await world.ask(id)))))

    expect(below['authorization_details']).toEqual([{ ...BUDGET, identifier: id }])
    expect(below['act']).toEqual({ sub: 'agent-bob' })
    expect(below['sub']).toBe('agent-alice')
  })

  test('shows what stands on it, and ends it all in one act', async () => {
    await using world = await createDelegationWorld()
    const { id } = await world.open()
    const first = readToken(await world.ask(id))
    const second = readToken(await world.exchange(first))
    const { below } = await world.operator.taskGrants.get.query({ grantId: id })

    const { revoked } = await world.operator.taskGrants.revoke.mutate({ grantId: id })

    expect(below.map(({ agentId, id: node }) => [agentId, node])).toEqual([
      ['agent-alice', decodeJwt(first).jti],
      ['agent-bob', decodeJwt(second).jti],
    ])
    expect(revoked).toBe(true)
    expect((await introspect(world.server, world.carol, second)).body).toEqual({ active: false })
    expect(readOAuthError(await world.exchange(first)).error).toBe('invalid_request')
    expect(readOAuthError(await world.ask(id)).error).toBe('invalid_authorization_details')
    expect(await world.operator.taskGrants.revoke.mutate({ grantId: id })).toEqual({
      revoked: false,
    })
  })

  test('ends in the middle of its tree with what is below, and leaves the rest', async () => {
    await using world = await createDelegationWorld()
    const { id } = await world.open()
    const first = readToken(await world.ask(id))
    const second = readToken(await world.exchange(first))

    await world.operator.taskGrants.revoke.mutate({ grantId: decodeJwt(second).jti ?? '' })

    expect((await introspect(world.server, world.carol, second)).body).toEqual({ active: false })
    expect((await introspect(world.server, world.bob, first)).body).toMatchObject({ active: true })
  })

  test.each([
    ['a scope that it has not', { scope: 'carol:tell other:read' }, 'invalid_scope'],
    ['an agent that it is not for', { audience: 'agent-carol' }, 'invalid_target'],
    [
      'a larger budget',
      { authorization_details: '[{"type":"budget","currency":"USD","amount":"5.01"}]' },
      'invalid_authorization_details',
    ],
  ])('gives no token for %s', async (_, form, error) => {
    await using world = await createDelegationWorld()
    const { id } = await world.open()
    const own = 'authorization_details' in form ? JSON.parse(form.authorization_details) : []

    const answer = await world.ask(id, {
      ...form,
      authorization_details: JSON.stringify([{ type: 'task_grant', identifier: id }, ...own]),
    })

    expect(readOAuthError(answer).error).toBe(error)
  })

  test('is not there for any other agent', async () => {
    // Attack: Bob saw the grant's id in the token that he was called with, and asks under it himself.
    await using world = await createDelegationWorld()
    const { id } = await world.open()
    const form = {
      audience: 'agent-carol',
      authorization_details: JSON.stringify([{ type: 'task_grant', identifier: id }]),
    }

    const stolen = await postToken(world.server, world.bob, form)
    const invented = await postToken(world.server, world.bob, {
      ...form,
      authorization_details: '[{"type":"task_grant","identifier":"no-such-grant"}]',
    })

    expect(readOAuthError(stolen).error).toBe('invalid_authorization_details')
    expect(stolen.body).toEqual(invented.body)
  })

  test('is over at the second of its expiry', async () => {
    await using world = await createDelegationWorld()
    const { id } = await world.open()

    world.server.clock.advance(599)
    expect((await world.ask(id)).status).toBe(200)
    world.server.clock.advance(1)
    expect(readOAuthError(await world.ask(id)).error).toBe('invalid_authorization_details')
  })

  test.each([
    ['scope_not_allowed', { scopes: ['carol:sing'] }],
    ['audience_not_allowed', { audiences: ['agent-dave'] }],
    ['agent_unknown', { agentId: 'agent-nobody' }],
  ])('is not opened with more than its agent has: %s', async (code, more) => {
    await using world = await createDelegationWorld()

    expect(await readRefusal(world.open(more))).toMatchObject({ code })
  })
})

describe('an agent', () => {
  test('opens a grant of its own authority for one that it may hand work on to', async () => {
    await using world = await createDelegationWorld()
    await using alice = connectAdmin(world.server, world.alice, ['grants:delegate'])
    const { id } = await alice.taskGrants.delegate.mutate({
      agentId: 'agent-bob',
      purpose: 'ask Carol for me',
      scopes: ['carol:ask'],
      audiences: ['agent-carol'],
    })

    const token = await getToken(world.server, world.bob, {
      audience: 'agent-carol',
      scope: 'carol:ask',
      authorization_details: JSON.stringify([{ type: 'task_grant', identifier: id }]),
    })

    expect(decodeJwt(token)).toMatchObject({
      sub: 'agent-alice',
      client_id: 'agent-bob',
      act: { sub: 'agent-bob' },
    })
    await alice.taskGrants.withdraw.mutate({ grantId: id })
    expect((await introspect(world.server, world.carol, token)).body).toEqual({ active: false })
  })

  test('opens none for others, and ends none of others', async () => {
    await using world = await createDelegationWorld()
    await using alice = connectAdmin(world.server, world.alice, ['grants:delegate'])
    const task = { purpose: 'x', scopes: ['carol:ask'], audiences: ['agent-carol'] }
    const { id } = await world.open()

    const forCarol = readRefusal(
      alice.taskGrants.delegate.mutate({ agentId: 'agent-carol', ...task }),
    )
    const tooMuch = readRefusal(
      alice.taskGrants.delegate.mutate({
        agentId: 'agent-bob',
        ...task,
        scopes: ['grants:delegate'],
      }),
    )
    const foreign = readRefusal(alice.taskGrants.withdraw.mutate({ grantId: id }))

    expect(await forCarol).toMatchObject({ code: 'agent_unknown' })
    expect(await tooMuch).toMatchObject({ code: 'scope_not_allowed' })
    expect(await foreign).toMatchObject({ code: 'grant_unknown' })
  })
})
