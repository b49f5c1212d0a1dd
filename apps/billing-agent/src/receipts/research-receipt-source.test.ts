// The adapter against a research agent of its own: the contract's router behind the real guard.
import { CallRefusal } from '@deputy/auth/trpc'
import { createAgentClient, type ServiceCallScope } from '@deputy/client'
import { BILLING_AGENT_ID } from '@deputy/contracts/billing'
import {
  createResearchRouter,
  research as contract,
  RESEARCH_AGENT_ID,
  type ResearchService,
} from '@deputy/contracts/research'
import { createTestWorld } from '@deputy/testing'
import { expect, test, vi } from 'vitest'
import { callBy, receiptFor } from '../../test-support/billing-world.ts'
import { createResearchReceiptSource, RECEIPT_SCOPE } from './research-receipt-source.ts'

const ALICE = 'agent-alice-v1'
const RECEIPT = receiptFor({ holdId: 'hold-1', reference: 'job-1', capturedMinor: 15 })

type Options = {
  /** What billing's own client asks for, in place of what it needs. */
  readonly asksFor?: string
  /** What alice hands on to billing. */
  readonly handsOn?: readonly string[]
}

/** A research agent that has this receipt, and billing as one of its callers. */
async function setUp(receipt: ResearchService['receipt'], options: Options = {}) {
  await using stack = new AsyncDisposableStack()
  const world = stack.use(await createTestWorld())
  const { asksFor = RECEIPT_SCOPE, handsOn = ['billing:close'] } = options
  const notAsked = (): never => {
    throw new Error('billing asks for receipts only')
  }
  const router = createResearchRouter({
    ask: notAsked,
    answer: notAsked,
    listJobs: notAsked,
    trace: notAsked,
    listConversations: notAsked,
    getConversation: notAsked,
    receipt,
  })
  const research = await world.agent(RESEARCH_AGENT_ID, { router })
  const billing = await world.caller(BILLING_AGENT_ID, {
    scopes: [RECEIPT_SCOPE, 'conversations:read'],
    scopesSupported: ['billing:close'],
    audiences: [research.id],
    delegation: { to: [research.id], maxDepth: 1 },
  })
  const alice = await world.caller(ALICE, {
    scopes: ['billing:close', RECEIPT_SCOPE],
    audiences: [billing.id],
    delegation: { to: [billing.id], maxDepth: 2 },
  })
  const own = billing.credentials()
  const source = createResearchReceiptSource({
    own: stack.use(
      createAgentClient(contract, {
        url: research.url,
        credentials: (target) => own({ ...target, scopes: [asksFor] }),
        scopes: [RECEIPT_SCOPE],
        fetch: billing.fetch,
        clock: billing.clock,
        retry: false,
      }),
    ),
    actFor: billing.createActFor([research]),
  })
  /** Asks for the receipt of a job, twice, for alice: with her token, or as if she came with an API key. */
  async function ask(by: 'token' | 'key' = 'token', within: ServiceCallScope = {}) {
    const called =
      by === 'token'
        ? { subjectToken: await alice.token({ id: billing.id, url: '' }, { scopes: handsOn }) }
        : {}
    const { principal } = callBy(ALICE)
    const call = {
      signal: undefined,
      principal: { ...principal, scopes: handsOn },
      ...called,
      ...within,
    }
    const answer = await source('job-1', call, 'hold-1')
    await source('job-1', call, 'hold-1')
    return answer
  }
  const resources = stack.move()
  return {
    world,
    research,
    billing,
    ask,
    /** Audience and scopes of the tokens that billing got, by how it got them. */
    tokens: async (event: 'token.issued' | 'token.exchanged') =>
      (await world.audit({ event, actorId: billing.id })).map(({ audience, scope, subjectId }) => [
        audience,
        scope,
        subjectId,
      ]),
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

test('acts for the caller that handed on what it takes, with one exchange for all receipts', async () => {
  const handsOn = ['billing:close', RECEIPT_SCOPE]
  await using harness = await setUp(async () => RECEIPT, { handsOn })

  const answer = await harness.ask()

  expect(answer).toMatchObject({ ok: true, call: { subject: ALICE, outcome: 'ok' } })
  expect(await harness.tokens('token.exchanged')).toEqual([
    [RESEARCH_AGENT_ID, RECEIPT_SCOPE, ALICE],
  ])
})

test('acts for itself where the caller came with an API key, which nobody can hand on', async () => {
  const handsOn = ['billing:close', RECEIPT_SCOPE]
  await using harness = await setUp(async () => RECEIPT, { handsOn })

  const answer = await harness.ask('key')

  expect(answer).toMatchObject({ ok: true })
  expect(await harness.tokens('token.exchanged')).toEqual([])
  expect(answer.call).not.toHaveProperty('subject')
})

test('asks for the job’s receipt with a token for that and nothing else, and records the call', async () => {
  const asked: string[] = []
  await using harness = await setUp(async ({ principal }, { jobId }) => {
    asked.push(`${principal.agentId} ${jobId}`)
    return RECEIPT
  })

  const answer = await harness.ask()

  expect(answer).toEqual({
    ok: true,
    receipt: RECEIPT,
    call: {
      from: BILLING_AGENT_ID,
      to: RESEARCH_AGENT_ID,
      procedure: 'research.receipt',
      scopes: ['research:read'],
      outcome: 'ok',
      durationMs: expect.any(Number),
    },
  })
  expect(answer.call.durationMs).toBeGreaterThan(0)
  expect(asked).toEqual([`${BILLING_AGENT_ID} job-1`, `${BILLING_AGENT_ID} job-1`])
  expect(await harness.tokens('token.issued')).toEqual([
    [RESEARCH_AGENT_ID, 'research:read', BILLING_AGENT_ID],
  ])
})

test.each([
  ['for itself', 'key', ['billing:close']],
  ['for its caller', 'token', ['billing:close', RECEIPT_SCOPE]],
] as const)('asks %s no longer than its caller waits', async (_whom, by, handsOn) => {
  // Attack: who closes statements and hangs up leaves calls behind that nobody waits for.
  const asked = Promise.withResolvers<AbortSignal | undefined>()
  const remainingMs: (number | undefined)[] = []
  await using harness = await setUp(
    async ({ deadline, signal }) => {
      remainingMs.push(deadline?.remainingMs())
      asked.resolve(signal)
      return new Promise((resolve) => {
        signal?.addEventListener('abort', () => resolve(RECEIPT))
      })
    },
    { handsOn },
  )
  const caller = new AbortController()
  const within = { signal: caller.signal, deadline: { remainingMs: () => 4321 } }
  const answer = harness.ask(by, within)
  const signal = await asked.promise

  caller.abort()

  expect(await answer).toMatchObject({ ok: false, reason: 'call_aborted' })
  await vi.waitUntil(() => signal?.aborted)
  expect(remainingMs).toHaveLength(1)
  expect(remainingMs[0]).toBeGreaterThan(0)
  expect(remainingMs[0]).toBeLessThanOrEqual(4321)
})

test('passes on why research will not say', async () => {
  await using harness = await setUp(async () => {
    throw new CallRefusal({
      code: 'NOT_FOUND',
      reason: 'receipt_unknown',
      message: 'There is no receipt for job-1',
      hint: 'Look at the id.',
    })
  })

  expect(await harness.ask()).toMatchObject({
    ok: false,
    reason: 'receipt_unknown',
    message: 'There is no receipt for job-1',
    call: { outcome: 'receipt_unknown' },
  })
})

test('says that billing lacks the scope', async () => {
  await using harness = await setUp(async () => RECEIPT, { asksFor: 'conversations:read' })

  expect(await harness.ask()).toMatchObject({ ok: false, reason: 'scope_missing' })
})

test('says that research cannot be reached', async () => {
  await using harness = await setUp(async () => RECEIPT)
  using _outage = harness.world.outage(harness.research)

  expect(await harness.ask()).toMatchObject({
    ok: false,
    reason: 'network_error',
    call: { outcome: 'network_error' },
  })
})

test('says that it got no token, without the secret', async () => {
  await using harness = await setUp(async () => RECEIPT)
  const { billing, world } = harness
  await world.revoke(billing.secret)

  const answer = await harness.ask()

  expect(answer).toMatchObject({ ok: false, reason: 'token_refused' })
  expect(JSON.stringify(answer)).not.toContain(billing.secret.reveal())
})

test('does not take a bug of research for a receipt, nor its detail for a message', async () => {
  await using harness = await setUp(async () => {
    throw new Error('cannot open /var/lib/research')
  })
  harness.world.expectErrors(/cannot open/)

  const answer = await harness.ask()

  expect(answer).toMatchObject({ ok: false, reason: 'internal_error' })
  expect(JSON.stringify(answer)).not.toContain('/var/lib')
})
