import { describe, expect, test } from 'vitest'
import {
  ALICE,
  BILLING,
  BOB,
  callBy,
  DOWN,
  createResearchWorld,
  refusalOf,
} from '../test-support/research-world.ts'

const FILES = { 'keys.md': '# Keys\n\nA deactivated key is refused from the next request on.\n' }
const QUESTION = 'When is a deactivated key refused?'
const broke = {
  kind: 'refused',
  reason: 'insufficient_funds',
  message: '35 are needed, 0 are available',
  hint: 'Deposit more.',
} as const

describe('asking', () => {
  test('holds before the work and captures what was delivered', async () => {
    await using world = await createResearchWorld(FILES)

    const brief = await world.ask(QUESTION)

    expect(world.billing.acts).toEqual(['quote 5', 'hold', 'capture 15'])
    expect(brief).toMatchObject({
      question: QUESTION,
      documentsSearched: 1,
      cost: { amountMinor: 15, currency: 'USD' },
      sentences: [{ citation: { file: 'keys.md', startLine: 3, endLine: 3 } }],
    })
  })

  test('releases the money when nothing answers the question', async () => {
    await using world = await createResearchWorld(FILES)

    const refused = await refusalOf(world.ask('Which zebras migrate?'))

    expect(refused.reason).toBe('no_answer_found')
    expect(world.billing.acts).toEqual(['quote 5', 'hold', 'release'])
  })

  test.each(['quote', 'hold'] as const)(
    "says why billing refused to %s, in billing's words",
    async (step) => {
      await using world = await createResearchWorld(FILES)
      world.billing.failures.set(step, [broke])

      const refused = await refusalOf(world.ask(QUESTION))

      expect(refused.reason).toBe('billing_refused')
      expect(refused.message).toContain(
        'insufficient_funds: 35 are needed, 0 are available. Deposit more.',
      )
      expect(world.billing.acts).not.toContain('release')
    },
  )

  test('repeats a capture once when its answer was lost', async () => {
    await using world = await createResearchWorld(FILES)
    world.billing.failures.set('capture', [DOWN])

    const brief = await world.ask(QUESTION)

    expect(brief.cost.amountMinor).toBe(15)
    expect(world.billing.acts).toEqual(['quote 5', 'hold', 'capture 15', 'capture 15'])
  })

  test('gives up and releases when billing stays away', async () => {
    await using world = await createResearchWorld(FILES)
    world.billing.failures.set('capture', [DOWN, DOWN])

    const refused = await refusalOf(world.ask(QUESTION))
    const { conversations } = await world.service.listConversations(callBy(ALICE), { limit: 10 })

    expect(refused.reason).toBe('billing_unavailable')
    expect(world.billing.acts.at(-1)).toBe('release')
    expect(conversations).toMatchObject([
      { state: 'failed', reason: 'billing_unavailable', sentences: 0 },
    ])
  })

  test('asks billing for nothing when there are no documents', async () => {
    await using world = await createResearchWorld({})

    const refused = await refusalOf(world.ask(QUESTION))

    expect(refused).toMatchObject({
      reason: 'documents_unavailable',
      message: expect.stringContaining(world.documents) as string,
    })
    expect(world.billing.acts).toEqual([])
  })
})

describe('an idempotency key', () => {
  test('gets the first brief again and pays once', async () => {
    await using world = await createResearchWorld(FILES)
    const first = await world.ask(QUESTION, ALICE, 'the-one-key')

    const again = await world.ask(QUESTION, ALICE, 'the-one-key')

    expect(again).toEqual(first)
    expect(world.billing.acts.filter((act) => act.startsWith('capture'))).toHaveLength(1)
  })

  test('of parallel calls lets one work', async () => {
    await using world = await createResearchWorld(FILES)

    const results = await Promise.allSettled(
      Array.from({ length: 10 }, async () => world.ask(QUESTION, ALICE, 'the-one-key')),
    )

    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(world.billing.acts.filter((act) => act.startsWith('hold'))).toHaveLength(1)
  })

  test('is refused with another question, and is each caller’s own', async () => {
    await using world = await createResearchWorld(FILES)
    const alice = await world.ask(QUESTION, ALICE, 'the-one-key')

    const other = await refusalOf(world.ask('What is a key?', ALICE, 'the-one-key'))
    const bob = await world.ask(QUESTION, BOB, 'the-one-key')

    expect(other.reason).toBe('idempotency_conflict')
    expect(bob.jobId).not.toBe(alice.jobId)
  })

  test('never gives one subject the brief of another', async () => {
    // Attack, or slip: an agent that works for several uses one key for all of them.
    await using world = await createResearchWorld(FILES)
    const input = { question: QUESTION, maxSentences: 5, idempotencyKey: 'the-one-key' }
    const forAlice = await world.service.answer(callBy(BOB, ALICE), input)

    const forBob = await world.service.answer(callBy(BOB), input)

    expect(forBob.jobId).not.toBe(forAlice.jobId)
  })

  test('of a job that failed is free for another try', async () => {
    await using world = await createResearchWorld(FILES)
    world.billing.failures.set('hold', [DOWN])

    const refused = await refusalOf(world.ask(QUESTION, ALICE, 'the-one-key'))

    expect(refused.reason).toBe('billing_unavailable')
    expect(await world.ask(QUESTION, ALICE, 'the-one-key')).toMatchObject({ question: QUESTION })
  })
})

describe('a receipt', () => {
  test('is for who asked and for billing that was paid; for anybody else the job does not exist', async () => {
    // Attack: mallory guesses or learns a job id and asks for its receipt.
    await using world = await createResearchWorld(FILES)
    const { holdId, jobId } = await world.ask(QUESTION)
    const receipt = async (agentId: string, id = jobId) =>
      world.service.receipt(callBy(agentId), { jobId: id, holdId })

    const [own, paid] = [await receipt(ALICE), await receipt(BILLING)]
    const foreign = await refusalOf(receipt('agent-mallory-v1'))
    const unknown = await refusalOf(receipt(BILLING, 'no-such-job'))

    expect(own).toEqual(paid)
    expect(own).toMatchObject({ jobId, sentences: 1, documents: [{ file: 'keys.md' }] })
    expect(JSON.stringify(own)).not.toContain('deactivated')
    expect(foreign.reason).toBe('receipt_unknown')
    expect(foreign.message.replace(jobId, 'x')).toBe(unknown.message.replace('no-such-job', 'x'))
  })

  test('of a job that failed is not there', async () => {
    await using world = await createResearchWorld(FILES)
    await refusalOf(world.ask('Which zebras migrate?'))
    const { conversations } = await world.service.listConversations(callBy(ALICE), { limit: 10 })
    const jobId = conversations[0]?.jobId ?? ''

    expect((await refusalOf(world.service.receipt(callBy(ALICE), { jobId }))).reason).toBe(
      'receipt_unknown',
    )
  })
})

describe('conversations', () => {
  test("are the caller's own, newest first, in pages that miss none", async () => {
    await using world = await createResearchWorld(FILES)
    const asked: string[] = []
    for (let at = 0; at < 5; at += 1) asked.unshift((await world.ask(QUESTION)).jobId)
    await world.ask(QUESTION, BOB)

    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await world.service.listConversations(callBy(ALICE), { limit: 2, cursor })
      seen.push(...page.conversations.map(({ jobId }) => jobId))
      cursor = page.nextCursor
    } while (cursor !== undefined)

    expect(seen).toEqual(asked)
  })

  test.each(['x', '', 'am9iOi0x', 'am9iOjE7ZHJvcA'])('refuse the cursor %j', async (cursor) => {
    await using world = await createResearchWorld(FILES)

    const refused = await refusalOf(
      world.service.listConversations(callBy(ALICE), { limit: 2, cursor }),
    )

    expect(refused.reason).toBe('cursor_invalid')
  })
})
