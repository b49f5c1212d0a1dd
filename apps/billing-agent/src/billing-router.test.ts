// The service behind the contract's router, over real HTTP: what callers of billing see.
import { createBillingRouter, Hold, Quote } from '@deputy/contracts/billing'
import { createLogger, serveAgent } from '@deputy/serve'
import { describe, expect, test } from 'vitest'
import { bearer, callTrpc } from '../../../test/support/call-trpc.ts'
import { ALICE, createBillingWorld, USD } from '../test-support/billing-world.ts'
import { createFakeAuthenticator } from '../test-support/fake-authenticator.ts'

const OPERATOR_SCOPES = ['billing:deposit', 'billing:close', 'billing:audit']
const CALLERS = {
  alice: { agentId: ALICE, scopes: ['billing:read', 'billing:write'] },
  operator: { agentId: 'operator', scopes: OPERATOR_SCOPES },
  nobody: { agentId: 'agent-nobody-v1', scopes: [] },
}

async function startBilling() {
  const world = await createBillingWorld()
  const log: string[] = []
  const agent = await serveAgent({
    agentId: 'agent-billing-v2',
    router: createBillingRouter(world.service),
    authenticator: createFakeAuthenticator(CALLERS),
    issuer: 'https://issuer.example',
    port: 0,
    logger: createLogger({ name: 'billing', level: 'trace', write: (line) => void log.push(line) }),
  })
  const post = async (caller: keyof typeof CALLERS, procedure: string, input: unknown) =>
    callTrpc(agent.url, `billing.${procedure}`, {
      method: 'POST',
      input,
      headers: bearer(caller),
    })
  const get = async (caller: keyof typeof CALLERS, procedure: string, input?: unknown) =>
    callTrpc(agent.url, `billing.${procedure}`, { input, headers: bearer(caller) })
  return {
    ...world,
    post,
    get,
    log: () => log.join(''),
    [Symbol.asyncDispose]: async () => {
      await agent.close()
      await world.storage.close()
    },
  }
}

test('a quote is held and captured, and the balance says so', async () => {
  await using billing = await startBilling()
  const key = billing.key
  await billing.deposit(ALICE, 100)

  const quote = await billing.post('alice', 'quote', {
    service: 'research.brief',
    units: 2,
    idempotencyKey: key(),
  })
  const { quoteId } = Quote.parse(quote.data())
  const hold = await billing.post('alice', 'hold', {
    quoteId,
    reference: 'job-1',
    idempotencyKey: key(),
  })
  const { holdId } = Hold.parse(hold.data())
  const capture = await billing.post('alice', 'capture', {
    holdId,
    amountMinor: 15,
    idempotencyKey: key(),
  })

  expect([quote.status, hold.status, capture.status]).toEqual([200, 200, 200])
  expect(hold.data()).toEqual({
    holdId,
    quoteId,
    reference: 'job-1',
    state: 'held',
    amount: { amountMinor: 20, currency: USD },
    capturedMinor: 0,
    expiresAt: billing.clock.now() + 3600,
  })
  expect(capture.data()).toMatchObject({ holdId, state: 'captured', capturedMinor: 15 })
  const balance = await billing.get('alice', 'balance')
  expect(balance.data()).toEqual({
    account: ALICE,
    currency: USD,
    availableMinor: 85,
    heldMinor: 0,
  })
})

test('the same body with its members in another order gets the first answer', async () => {
  await using billing = await startBilling()
  const body = { service: 'research.brief', units: 2, idempotencyKey: 'the-one-key' }
  const first = await billing.post('alice', 'quote', body)

  const again = await billing.post(
    'alice',
    'quote',
    Object.fromEntries(Object.entries(body).toReversed()),
  )

  expect(again.data()).toEqual(first.data())
})

test('a refusal has its status, its reason, and words for people', async () => {
  await using billing = await startBilling()

  const answer = await billing.post('alice', 'release', {
    holdId: 'hold-9',
    idempotencyKey: billing.key(),
  })

  expect(answer.status).toBe(404)
  expect(answer.error()).toMatchObject({
    message: 'No hold hold-9',
    data: {
      reason: 'hold_unknown',
      hint: 'Use a holdId that billing.hold gave this account.',
    },
  })
})

describe('a caller without the scope', () => {
  test.each([
    ['nobody', 'quote', 'billing:write'],
    ['nobody', 'hold', 'billing:write'],
    ['nobody', 'capture', 'billing:write'],
    ['nobody', 'release', 'billing:write'],
    ['alice', 'deposit', 'billing:deposit'],
    ['alice', 'closeStatement', 'billing:close'],
  ] as const)('%s may not call %s', async (caller, procedure, scope) => {
    await using billing = await startBilling()

    const answer = await billing.post(caller, procedure, {})

    expect([answer.status, answer.error().data['reason']]).toEqual([403, 'scope_missing'])
    expect(answer.error().data['requiredScopes']).toEqual([scope])
  })

  test.each([
    ['operator', 'balance', 'billing:read'],
    ['alice', 'trialBalance', 'billing:audit'],
  ] as const)('%s may not read %s', async (caller, procedure, scope) => {
    await using billing = await startBilling()

    const answer = await billing.get(caller, procedure)

    expect(answer.status).toBe(403)
    expect(answer.error().data['requiredScopes']).toEqual([scope])
  })
})

test.each([
  ['a fraction of a cent', { amount: { amountMinor: 1.5, currency: USD } }],
  ['an amount of nothing', { amount: { amountMinor: 0, currency: USD } }],
  ['a negative amount', { amount: { amountMinor: -5, currency: USD } }],
  ['an amount beyond all money', { amount: { amountMinor: 1e15, currency: USD } }],
  ['a currency that is none', { amount: { amountMinor: 5, currency: 'usd' } }],
  ["an account that is no agent's", { account: 'agent:x:held' }],
  ['a key that is too short', { idempotencyKey: 'short' }],
])('a deposit with %s is refused before the ledger sees it', async (_what, changes) => {
  await using billing = await startBilling()

  const answer = await billing.post('operator', 'deposit', {
    account: ALICE,
    amount: { amountMinor: 5, currency: USD },
    idempotencyKey: billing.key(),
    ...changes,
  })

  const ledger = await billing.get('operator', 'trialBalance')
  expect([answer.status, answer.error().data['reason']]).toEqual([400, 'input_invalid'])
  expect(ledger.data()).toEqual({ currency: USD, accounts: [], totalMinor: 0 })
})

test('a fault of the database is a bare internal error for the caller, and in the log', async () => {
  await using billing = await startBilling()
  await billing.storage.close()

  const answer = await billing.get('alice', 'balance')

  expect([answer.status, answer.error().data['reason']]).toEqual([500, 'internal_error'])
  expect(answer.text).not.toMatch(/driver|destroyed|sqlite/i)
  expect(billing.log()).toMatch(/driver|destroyed/i)
})
