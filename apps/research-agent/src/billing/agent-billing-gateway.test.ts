// The adapter against a billing agent of its own: the contract's router over real HTTP.
import { CallRefusal } from '@deputy/auth/trpc'
import { clientSecret, createAgentClient } from '@deputy/client'
import {
  createBillingRouter,
  type BillingRouter,
  type BillingService,
  type Hold,
  type Quote,
} from '@deputy/contracts/billing'
import { createLogger, serveAgent } from '@deputy/serve'
import { expect, test } from 'vitest'
import {
  createFakeTokenEndpoint,
  tokenAnswer,
} from '../../../../test/support/fake-token-endpoint.ts'
import { findFreePort } from '../../../../test/support/find-free-port.ts'
import { ISSUER } from '../../../../test/support/test-issuer.ts'
import { createFakeAuthenticator } from '../../test-support/fake-authenticator.ts'
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

/** A billing agent that answers like this; what it does not say, nobody may ask. */
async function startBilling(
  service: Partial<Omit<BillingService, 'quotas' | 'usage'>>,
  scopes = BILLING_SCOPES,
) {
  const notAsked = async () => Promise.reject(new Error('research does not ask for this'))
  return serveAgent({
    agentId: 'agent-billing-v2',
    router: createBillingRouter({
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
    }),
    authenticator: createFakeAuthenticator({
      'token-1': { agentId: 'agent-research-v1', scopes },
    }),
    issuer: ISSUER,
    port: 0,
    logger: createLogger({ name: 'billing', level: 'silent' }),
  })
}

function openGateway(url: string, answer = () => tokenAnswer('token-1')) {
  const endpoint = createFakeTokenEndpoint(answer)
  const client = createAgentClient<BillingRouter>({
    url,
    credentials: clientSecret({
      issuer: ISSUER,
      clientId: 'agent-research-v1',
      clientSecret: 'cs-agent-of-research',
      fetch: endpoint.fetch,
    }),
    audience: 'agent-billing-v2',
    scopes: BILLING_SCOPES,
  })
  return {
    billing: createAgentBillingGateway(() => client)('job-1'),
    requests: endpoint.requests,
    [Symbol.asyncDispose]: async () => client[Symbol.asyncDispose](),
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
  await using agent = await startBilling({
    quote: note(QUOTE),
    hold: note(HOLD),
    capture: note(HOLD),
    release: note(HOLD),
  })
  await using gateway = openGateway(agent.url)
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
  expect(gateway.requests.map(({ form }) => [form.get('audience'), form.get('scope')])).toEqual([
    ['agent-billing-v2', 'billing:write'],
  ])
})

test('records every call with how it ended and how long it took', async () => {
  await using agent = await startBilling({
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
  await using gateway = openGateway(agent.url)

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
  await using agent = await startBilling({ quote: async () => QUOTE }, ['billing:read'])
  await using gateway = openGateway(agent.url)

  const refused = await gateway.billing.quote(5)

  expect(refused).toMatchObject({ refusal: { kind: 'unavailable', reason: 'scope_missing' } })
})

test('says that billing cannot be reached', async () => {
  await using gateway = openGateway(`http://127.0.0.1:${String(await findFreePort())}`)

  const failed = await gateway.billing.quote(5)

  expect(failed).toMatchObject({ refusal: { kind: 'unavailable', reason: 'network_error' } })
  expect(gateway.billing.calls).toMatchObject([{ outcome: 'network_error' }])
})

test('takes a bug of billing for its absence, and passes nothing of it on', async () => {
  await using agent = await startBilling({
    quote: async () => Promise.reject(new Error('cannot open /var/lib/billing')),
  })
  await using gateway = openGateway(agent.url)

  const failed = await gateway.billing.quote(5)

  expect(failed).toMatchObject({ refusal: { kind: 'unavailable', reason: 'internal_error' } })
  expect(JSON.stringify(failed)).not.toContain('/var/lib')
})

test.each([
  [401, { error: 'invalid_client' }, 'token_refused'],
  [400, { error: 'invalid_scope' }, 'token_refused'],
])('says that it got no token (%i), without the secret', async (status, body, reason) => {
  await using agent = await startBilling({ quote: async () => QUOTE })
  await using gateway = openGateway(agent.url, () => Response.json(body, { status }))

  const failed = await gateway.billing.quote(5)

  expect(failed).toMatchObject({ refusal: { kind: 'unavailable', reason } })
  expect(JSON.stringify(failed)).not.toContain('cs-agent-of-research')
})
