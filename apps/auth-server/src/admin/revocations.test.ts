import { ReachQuestion } from '@deputy/auth/protocol'
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { connectAdmin, readRefusal } from '../../test-support/admin-client.ts'
import type { Client, TestServer } from '../../test-support/auth-server.ts'
import { START_AT } from '../../test-support/clock.ts'
import { createDelegationWorld, readToken } from '../../test-support/delegation-world.ts'
import { followFeed } from '../../test-support/follow-feed.ts'
import { basic, getToken, send, type Answer } from '../../test-support/oauth-request.ts'

/** A task with a token for Bob, one of Bob's for Carol below it, and a token of Alice's own beside it. */
async function createTree() {
  const world = await createDelegationWorld()
  const { id: grantId } = await world.open()
  const first = readToken(await world.ask(grantId))
  const second = readToken(await world.exchange(first))
  await getToken(world.server, world.alice, { audience: 'agent-carol' })
  const preview = world.operator.revocations.preview.query
  return { ...world, grantId, first: decodeJwt(first).jti ?? '', second, preview }
}

/** Answers, as an agent, what a verifier was asked. */
async function answerReach(
  server: Pick<TestServer, 'issuer'>,
  client: Client,
  { id, reach }: { readonly id: string; readonly reach: object | string | undefined },
): Promise<Answer> {
  const text = typeof reach === 'object' ? JSON.stringify(reach) : reach
  return send(`${server.issuer}/oauth/revocations`, {
    method: 'POST',
    headers: basic(client),
    body: new URLSearchParams({ reach_id: id, ...(text === undefined ? {} : { reach: text }) }),
  })
}

const unconnected = (agentId: string) => ({
  agentId,
  isConnected: false,
  noticesWithinSeconds: 60,
})

describe('a preview of a revocation', () => {
  test('of a task grant counts its whole tree and nothing beside it', async () => {
    await using world = await createTree()

    expect(await world.preview({ kind: 'grant', grantId: world.grantId })).toEqual({
      agents: ['agent-alice', 'agent-bob'],
      liveTokens: 2,
      derivedGrants: 3,
      verifiers: [unconnected('agent-bob'), unconnected('agent-carol')],
      endsAt: START_AT + 600,
      isComplete: true,
    })
  })

  test('of a token counts it with what stands on it', async () => {
    await using world = await createTree()

    const preview = await world.preview({
      kind: 'token',
      agentId: 'agent-alice',
      tokenId: world.first,
    })

    expect(preview).toMatchObject({ agents: ['agent-alice', 'agent-bob'], liveTokens: 2 })
  })

  test('of an agent counts what it holds by itself, under tasks, and handed on', async () => {
    await using world = await createTree()

    const preview = await world.preview({ kind: 'agent', agentId: 'agent-alice' })

    expect(preview).toMatchObject({ liveTokens: 3, derivedGrants: 3 })
    expect(await world.preview({ kind: 'agent', agentId: 'agent-bob' })).toMatchObject({
      agents: ['agent-bob'],
      liveTokens: 1,
      derivedGrants: 1,
    })
  })

  test('of a credential counts what was obtained with it', async () => {
    await using world = await createTree()
    const { clientSecrets } = await world.operator.clientSecrets.list.query({
      agentId: 'agent-alice',
    })
    const credentialId = clientSecrets[0]?.clientSecretId ?? ''
    const of = { kind: 'credential', agentId: 'agent-alice' } as const

    expect(await world.preview({ ...of, credentialId })).toMatchObject({ liveTokens: 3 })
    expect(await world.preview({ ...of, credentialId: 'another' })).toMatchObject({
      liveTokens: 0,
    })
  })

  test('says which verifiers will notice at once', async () => {
    await using world = await createTree()
    await using _feed = await followFeed(world.server, world.carol)

    const { verifiers } = await world.preview({ kind: 'grant', grantId: world.grantId })

    expect(verifiers).toEqual([
      unconnected('agent-bob'),
      { agentId: 'agent-carol', isConnected: true, noticesWithinSeconds: 1 },
    ])
  })

  test('says what would end there and what is held, as the verifiers themselves say it', async () => {
    await using world = await createTree()
    const { bob, carol, server } = world
    await using feed = await followFeed(server, carol)
    const asking = world.preview({ kind: 'grant', grantId: world.grantId })
    let heard = await feed.next()
    while (heard !== undefined && heard.event !== 'reach') heard = await feed.next()
    const question = ReachQuestion.parse(heard?.data)
    const reach = { open: 2, held: [{ currency: 'USD', amount: '0.35' }] }
    // Attack: another agent that answers in her name.
    await answerReach(server, bob, { id: question.id, reach: { open: 99 } })

    const answer = await answerReach(server, carol, { id: question.id, reach })

    expect(answer.status).toBe(200)
    expect(question).toMatchObject({ grants: [world.grantId], agents: [] })
    expect((await asking).verifiers).toEqual([
      unconnected('agent-bob'),
      { agentId: 'agent-carol', isConnected: true, noticesWithinSeconds: 1, ...reach },
    ])
  })

  test.each([
    ['nothing', undefined],
    ['no JSON', '{"open":'],
    ['no number', { open: 'many' }],
    ['less than nothing', { open: -1 }],
    ['amounts that are none', { open: 0, held: [{ currency: 'USD', amount: 'lots' }] }],
  ])('refuses an answer with %s', async (_, reach) => {
    await using world = await createTree()

    const answer = await answerReach(world.server, world.carol, { id: 'question-1', reach })

    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
  })

  test('changes nothing, and counts nothing that has ended', async () => {
    await using world = await createTree()
    await world.preview({ kind: 'grant', grantId: world.grantId })
    const { grant } = await world.operator.taskGrants.get.query({ grantId: world.grantId })
    world.server.clock.advance(901)

    const later = await world.preview({ kind: 'agent', agentId: 'agent-alice' })

    expect(grant.live).toBe(true)
    expect(later).toMatchObject({ liveTokens: 0, derivedGrants: 0, verifiers: [] })
    expect(later.endsAt).toBeUndefined()
  })

  test('is for administrators with the scope, of what they may see', async () => {
    // Attack: mapping the grants of others through an API that only reads.
    await using world = await createTree()
    await using alice = connectAdmin(world.server, world.alice, ['grants:delegate'])

    const target = { kind: 'grant', grantId: world.grantId } as const
    expect(await readRefusal(alice.revocations.preview.query(target))).toMatchObject({
      code: 'scope_missing',
    })
    expect(
      await readRefusal(world.preview({ kind: 'grant', grantId: 'no-such-grant' })),
    ).toMatchObject({ code: 'grant_unknown' })
  })
})
