import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { readRefusal } from '../../test-support/admin-client.ts'
import { START_AT } from '../../test-support/clock.ts'
import { BUDGET, createDelegationWorld, readToken } from '../../test-support/delegation-world.ts'
import { getToken, readOAuthError } from '../../test-support/oauth-request.ts'

/** A task, Alice's token under it for Bob, and Bob's below that for Carol. */
async function createTree() {
  const world = await createDelegationWorld()
  const { id: grantId } = await world.open()
  const first = readToken(await world.ask(grantId))
  const second = readToken(await world.exchange(first))
  return { ...world, grantId, first, second, explain: world.operator.explain.mutate }
}
const idOf = (token: string): string => decodeJwt(token).jti ?? ''

describe('explain', () => {
  test('tells of a token where it comes from, and what each hop left behind', async () => {
    await using world = await createTree()

    const { chain } = await world.explain({ token: world.second })

    expect(chain).toMatchObject({
      tokenId: idOf(world.second),
      subjectId: 'agent-alice',
      agentId: 'agent-bob',
      actors: ['agent-bob'],
      isLive: true,
    })
    expect(chain?.hops.map(({ agentId, id, kind }) => [kind, agentId, id])).toEqual([
      ['credential', 'agent-alice', expect.any(String)],
      ['task', 'agent-alice', world.grantId],
      ['token', 'agent-alice', idOf(world.first)],
      ['token', 'agent-bob', idOf(world.second)],
    ])
    expect(chain?.hops.map(({ dropped, scopes }) => [scopes, dropped])).toEqual([
      [[], []],
      [['bob:ask', 'carol:ask', 'carol:tell'], []],
      [['bob:ask', 'carol:ask'], [{ scope: 'carol:tell', rule: 'not_requested' }]],
      [['carol:ask'], [{ scope: 'bob:ask', rule: 'not_requested' }]],
    ])
    expect(chain?.hops.at(-1)?.limits).toEqual([{ ...BUDGET, identifier: world.grantId }])
  })

  test('tells the same of its jti', async () => {
    await using world = await createTree()

    expect(await world.explain({ tokenId: idOf(world.second) })).toEqual(
      await world.explain({ token: world.second }),
    )
  })

  test('tells of a token that nothing was handed on by', async () => {
    await using world = await createTree()
    const token = await getToken(world.server, world.alice, { audience: 'agent-carol' })

    const { chain } = await world.explain({ tokenId: idOf(token) })

    expect(chain).toMatchObject({
      subjectId: 'agent-alice',
      agentId: 'agent-alice',
      isLive: true,
      hops: [{ kind: 'credential' }, { kind: 'token', expiresAt: START_AT + 900 }],
    })
  })

  test('says which act ended it, however far above', async () => {
    await using world = await createTree()
    await world.operator.taskGrants.revoke.mutate({ grantId: world.grantId })

    const { chain } = await world.explain({ tokenId: idOf(world.second) })

    expect(chain).toMatchObject({
      isLive: false,
      endedBy: { kind: 'grant', id: world.grantId, at: START_AT },
    })
  })

  test('says that an agent of the chain was deactivated, or that its time was over', async () => {
    await using world = await createTree()
    await world.operator.agents.deactivate.mutate({ id: 'agent-bob' })
    const ended = await world.explain({ tokenId: idOf(world.second) })
    world.server.clock.advance(600)
    const first = await world.explain({ tokenId: idOf(world.first) })

    expect(ended.chain?.endedBy).toMatchObject({ kind: 'agent', id: 'agent-bob' })
    expect(first.chain?.endedBy).toEqual({ kind: 'expiry', id: world.grantId, at: START_AT + 600 })
  })

  test('tells of a refused exchange what was missing, by which rule, and who could grant it', async () => {
    await using world = await createTree()
    const refused = await world.exchange(world.first, { scope: 'carol:ask carol:tell' })
    expect(readOAuthError(refused).error).toBe('invalid_scope')
    const { entries } = await world.operator.audit.list.query({ event: 'token.refused' })

    const answer = await world.explain({ correlationId: entries[0]?.correlationId ?? '' })

    expect(answer.refused).toMatchObject({
      event: 'token.refused',
      reason: 'widening',
      agentId: 'agent-bob',
      audience: 'agent-carol',
      missing: [{ scope: 'carol:tell', rule: 'not_carried', couldGrant: ['agent-alice'] }],
    })
    expect(answer.chain?.tokenId).toBe(idOf(world.first))
  })

  test('tells of a refused request what its agent may not have', async () => {
    await using world = await createTree()
    const { grantId } = world
    await world.ask(grantId, { scope: 'dan:ask' })
    const { entries } = await world.operator.audit.list.query({ event: 'token.refused' })

    const answer = await world.explain({ correlationId: entries[0]?.correlationId ?? '' })

    expect(answer.refused?.missing).toEqual([
      { scope: 'dan:ask', rule: 'actor_may_not', couldGrant: [] },
    ])
  })

  test.each([{ token: 'no-token' }, { tokenId: 'no-such-jti' }, { correlationId: 'no-such-id' }])(
    'says that nothing is known of %j',
    async (input) => {
      await using world = await createTree()

      expect(await readRefusal(world.explain(input))).toMatchObject({ code: 'nothing_to_explain' })
    },
  )
})
