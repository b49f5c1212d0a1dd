// The adapter against a billing agent of its own: the contract's router behind the real guard.
import { CallRefusal } from '@deputy/auth/trpc'
import {
  BILLING_AGENT_ID,
  createBillingRouter,
  type BillingService,
  type Hold,
  type Quote,
} from '@deputy/contracts/billing'
import { RESEARCH_AGENT_ID } from '@deputy/contracts/research'
import { createTestWorld } from '@deputy/testing'
import { expect, test } from 'vitest'
import { BILLING_SCOPES, createAgentBillingGateway } from './agent-billing-gateway.ts'

const QUOTE: Quote = {
  quoteId: 'quote-1',
  service: 'research.brief',
  units: 5,
  baseMinor: 10,
  unitPriceMinor: 5,
  amount: { amountMinor: 35, currency: 'USD' },
  priceBookVersion: 'test',
  expiresAt: 1,
}
const HOLD: Hold = {
  holdId: 'hold-1',
  quoteId: 'quote-1',
  reference: 'job-1',
  state: 'held',
  amount: QUOTE.amount,
  capturedMinor: 0,
  expiresAt: 1,
}

type Options = {
  /** What research may have. */
  readonly scopes?: readonly string[]
  /** What it asks for. */
  readonly asksFor?: readonly string[]
}

/** A billing agent that answers like this; what it does not say, nobody may ask. */
async function openGateway(
  service: Partial<Omit<BillingService, 'quotas' | 'usage'>>,
  options: Options = {},
) {
  await using stack = new AsyncDisposableStack()
  const world = stack.use(await createTestWorld())
  const { asksFor = BILLING_SCOPES, scopes = BILLING_SCOPES } = options
  const notAsked = async () => Promise.reject(new Error('research does not ask for this'))
  const router = createBillingRouter({
    quotas: {
      set: notAsked,
      get: notAsked,
      list: notAsked,
      events: notAsked,
      // oxlint-disable-next-line require-yield -- nobody watches
      watch: async function* watch() {
        await notAsked()
      },
    },
    usage: {
      record: notAsked,
      report: notAsked,
      events: notAsked,
      meters: notAsked,
      defineMeter: notAsked,
    },
    balance: notAsked,
    quote: notAsked,
    hold: notAsked,
    capture: notAsked,
    release: notAsked,
    deposit: notAsked,
    closeStatement: notAsked,
    trialBalance: notAsked,
    budget: notAsked,
    releaseGrant: notAsked,
    refund: notAsked,
    prices: notAsked,
    publishPrices: notAsked,
    statements: notAsked,
    invoice: notAsked,
    verify: notAsked,
    exportJournal: notAsked,
    revertActor: notAsked,
    ...service,
  })
  const agent = await world.agent(BILLING_AGENT_ID, { router })
  const settings = { scopes: [...scopes], audiences: [agent.id] }
  const research = await world.caller(RESEARCH_AGENT_ID, settings)
  const client = research.client(agent, { scopes: asksFor })
  const resources = stack.move()
  return {
    world,
    agent,
    research,
    billing: createAgentBillingGateway(() => client)('job-1'),
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

test('asks with a token for billing alone, and with keys made of the job and the step', async () => {
  const inputs: unknown[] = []
  const note =
    <Answer>(answer: Answer) =>
    async (_call: unknown, input: unknown) => {
      inputs.push(input)
      return Promise.resolve(answer)
    }
  await using gateway = await openGateway({
    quote: note(QUOTE),
    hold: note(HOLD),
    capture: note(HOLD),
    release: note(HOLD),
  })
  const { billing } = gateway

  await billing.quote(5)
  await billing.hold('quote-1')
  await billing.capture('hold-1', 15)
  await billing.release('hold-1')
  await billing.release('hold-1')

  const release = { holdId: 'hold-1', idempotencyKey: 'job-1:release' }
  expect(inputs).toEqual([
    { service: 'research.brief', units: 5, idempotencyKey: 'job-1:quote' },
    { quoteId: 'quote-1', reference: 'job-1', idempotencyKey: 'job-1:hold' },
    { holdId: 'hold-1', amountMinor: 15, idempotencyKey: 'job-1:capture' },
    release,
    release,
  ])
  const issued = await gateway.world.audit({ event: 'token.issued', actorId: RESEARCH_AGENT_ID })
  expect(issued.map(({ audience, scope }) => [audience, scope])).toEqual([
    [BILLING_AGENT_ID, 'billing:write'],
  ])
})

test('records every call with how it ended and how long it took', async () => {
  await using gateway = await openGateway({
    quote: async () => QUOTE,
    hold: async () => {
      throw new CallRefusal({
        code: 'PRECONDITION_FAILED',
        reason: 'insufficient_funds',
        message: '35 are needed, 0 are available',
        hint: 'Deposit more.',
      })
    },
  })

  await gateway.billing.quote(5)
  const refused = await gateway.billing.hold('quote-1')

  expect(refused).toEqual({
    ok: false,
    refusal: {
      kind: 'refused',
      reason: 'insufficient_funds',
      message: '35 are needed, 0 are available',
      hint: 'Deposit more.',
    },
  })
  const record = {
    from: 'agent-research-v1',
    to: 'agent-billing-v2',
    scopes: ['billing:write'],
    durationMs: expect.any(Number) as number,
  }
  expect(gateway.billing.calls).toEqual([
    { ...record, procedure: 'billing.quote', outcome: 'ok' },
    { ...record, procedure: 'billing.hold', outcome: 'insufficient_funds' },
  ])
  expect(gateway.billing.calls.every(({ durationMs }) => durationMs > 0)).toBe(true)
})

test('does not take a missing scope for billing’s decision', async () => {
  await using gateway = await openGateway(
    { quote: async () => QUOTE },
    { scopes: ['billing:read'], asksFor: ['billing:read'] },
  )

  const refused = await gateway.billing.quote(5)

  expect(refused).toMatchObject({ refusal: { kind: 'unavailable', reason: 'scope_missing' } })
})

test('says that billing cannot be reached', async () => {
  await using gateway = await openGateway({})
  const { agent, billing, world } = gateway
  using _outage = world.outage(agent)

  const failed = await world.whileTimePasses(billing.quote(5))

  expect(failed).toMatchObject({ refusal: { kind: 'unavailable', reason: 'network_error' } })
  expect(gateway.billing.calls).toMatchObject([{ outcome: 'network_error' }])
})

test('takes a bug of billing for its absence, and passes nothing of it on', async () => {
  await using gateway = await openGateway({
    quote: async () => Promise.reject(new Error('cannot open /var/lib/billing')),
  })
  gateway.world.expectErrors(/cannot open/)

  const failed = await gateway.billing.quote(5)

  expect(failed).toMatchObject({ refusal: { kind: 'unavailable', reason: 'internal_error' } })
  expect(JSON.stringify(failed)).not.toContain('/var/lib')
})

test.each([
  ['its secret was ended', {}, true],
  ['it may not have the scope', { scopes: ['billing:read'] }, false],
])('says that it got no token where %s, without the secret', async (_why, options, isEnded) => {
  await using gateway = await openGateway({ quote: async () => QUOTE }, options)
  const { billing, research, world } = gateway
  if (isEnded) await world.revoke(research.secret)

  const failed = await billing.quote(5)

  expect(failed).toMatchObject({ refusal: { kind: 'unavailable', reason: 'token_refused' } })
  expect(JSON.stringify(failed)).not.toContain(research.secret.reveal())
})
