// Attack, against every procedure that there is: an agent of another organisation, with every scope, names what belongs
// to an organisation that is not its own. It learns nothing, and nothing moves. The list comes from the router: a
// procedure without an attack fails the test.
import { createBillingRouter, Hold, Quota, Quote, Statement } from '@deputy/contracts/billing'
import { listProcedures } from '@deputy/auth/trpc'
import { createLogger, serveAgent } from '@deputy/serve'
import { describe, expect, test } from 'vitest'
import { bearer, callTrpc } from '../../../test/support/call-trpc.ts'
import { ALICE, createBillingWorld, receiptFor, USD } from '../test-support/billing-world.ts'
import { BILLING_ADAPTERS, type BillingAdapter } from '../test-support/databases.ts'
import { createFakeAuthenticator } from '../test-support/fake-authenticator.ts'

const VICTIM = 'acme'
/** What stands in the victim's book, and nowhere else. */
const SECRETS = ['secret-job', 'secret-reason', 'secret-event', '31337', '27182', '16180']
const GRANT = 'grant-of-acme'

type Procedure = ReturnType<typeof listProcedures>[number]

async function start(adapter: BillingAdapter) {
  await using stack = new AsyncDisposableStack()
  const { location } = stack.use(await adapter.open())
  const world = stack.use(await createBillingWorld(location))
  const router = createBillingRouter(world.service)
  const procedures = listProcedures(router)
  const scopes = [...new Set(procedures.flatMap((one) => one.scopes))]
  const caller = (agentId: string, ownerId: string) => ({ agentId, ownerId, scopes })
  const agent = await serveAgent({
    agentId: 'agent-billing-v2',
    router,
    authenticator: createFakeAuthenticator({
      alice: caller(ALICE, VICTIM),
      acme: caller('operator-of-acme', VICTIM),
      mallory: caller('agent-mallory-v1', 'mallory'),
      operator: caller('operator', 'system'),
    }),
    issuer: 'https://issuer.example',
    port: 0,
    logger: createLogger({ name: 'billing', level: 'silent' }),
  })
  stack.defer(async () => agent.close())
  const call = async (
    who: string,
    { path, type }: Pick<Procedure, 'path' | 'type'>,
    input: unknown,
  ) =>
    callTrpc(agent.url, path, {
      method: type === 'mutation' ? 'POST' : 'GET',
      input,
      headers: bearer(who),
    })
  const mutate = async (who: string, path: string, input: object) => {
    const answer = await call(
      who,
      { path, type: 'mutation' },
      { idempotencyKey: world.key(), ...input },
    )
    if (answer.status !== 200) throw new Error(`${path}: ${answer.text}`)
    return answer.data()
  }
  const resources = stack.move()
  return {
    world,
    agent,
    procedures,
    call,
    mutate,
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

type Running = Awaited<ReturnType<typeof start>>

/** The victim's book: money, an open hold, a capture on a statement, a quota that was reached, usage. */
async function setUpVictim({ mutate, world }: Running) {
  await mutate('operator', 'usage.defineMeter', {
    meter: 'research.search',
    aggregation: 'sum',
    description: 'searches',
  })
  const deposit = { amount: { amountMinor: 31_337, currency: USD } }
  await mutate('acme', 'billing.deposit', { ...deposit, account: ALICE })
  const hold = async (reference: string) => {
    const quote = await mutate('alice', 'billing.quote', { service: 'research.brief', units: 2 })
    const { quoteId } = Quote.parse(quote)
    return Hold.parse(await mutate('alice', 'billing.hold', { quoteId, reference }))
  }
  const captured = await hold('secret-job')
  await mutate('alice', 'billing.capture', { holdId: captured.holdId, amountMinor: 15 })
  world.receipts.set('secret-job', receiptFor({ ...captured, capturedMinor: 15 }))
  const closing = { account: ALICE }
  const statement = Statement.parse(await mutate('acme', 'billing.closeStatement', closing))
  const refund = { holdId: captured.holdId, amountMinor: 5, reason: 'secret-reason' }
  await mutate('acme', 'billing.refund', refund)
  const open = await hold('secret-job-2')
  const quota = Quota.parse(
    await mutate('acme', 'quotas.set', {
      scope: { kind: 'tenant' },
      measure: { kind: 'usage', meter: 'research.search' },
      period: 'month',
      cap: 27_182,
      enforcement: 'report',
      reason: 'secret-reason',
    }),
  )
  const usage = { kind: 'usage', meter: 'research.search', account: ALICE, quantity: 16_180 }
  await mutate('acme', 'usage.record', {
    events: [
      { ...usage, eventId: 'secret-event-1' },
      { ...usage, eventId: 'secret-event-2' },
    ],
  })
  const { quoteId } = Quote.parse(
    await mutate('alice', 'billing.quote', { service: 'research.brief', units: 3 }),
  )
  return {
    quoteId,
    holdId: open.holdId,
    capturedId: captured.holdId,
    statementId: statement.statementId,
    quotaId: quota.quotaId,
  }
}

type Victim = Awaited<ReturnType<typeof setUpVictim>>

/** What an attacker sends. Each input is tried as it is and, where a procedure takes it, in the victim's name. */
const ATTACKS: Readonly<Record<string, (victim: Victim) => readonly object[]>> = {
  'billing.balance': () => [{}],
  'billing.quote': () => [{ service: 'research.brief', units: 1 }],
  'billing.hold': ({ quoteId }) => [{ quoteId, reference: 'mine' }],
  'billing.capture': ({ capturedId, holdId }) => [
    { holdId, amountMinor: 1 },
    { holdId: capturedId, amountMinor: 1 },
  ],
  'billing.release': ({ holdId }) => [{ holdId }],
  'billing.deposit': () => [{ account: ALICE, amount: { amountMinor: 7, currency: USD } }],
  'billing.closeStatement': () => [{ account: ALICE }],
  'billing.refund': ({ capturedId }) => [{ holdId: capturedId, amountMinor: 1, reason: 'mine' }],
  'billing.prices': () => [{}],
  'billing.publishPrices': () => [
    {
      version: 'mine',
      prices: [{ service: 'research.brief', baseMinor: 0, unitPriceMinor: 0, currency: USD }],
    },
  ],
  'billing.statements': () => [{}, { account: ALICE }],
  'billing.invoice': ({ statementId }) => [{ statementId }],
  'billing.verify': () => [{}, { entries: 'new' }],
  'billing.exportJournal': () => [{}],
  'billing.revertActor': () => [
    { agentId: ALICE, dryRun: true },
    { agentId: ALICE, dryRun: false },
    { agentId: 'operator-of-acme', dryRun: false, grantId: `jti-of-${ALICE}` },
  ],
  'billing.trialBalance': () => [{}],
  'billing.budget': () => [{ identifier: `jti-of-${ALICE}` }, { identifier: GRANT }],
  'billing.releaseGrant': () => [{ grantId: `jti-of-${ALICE}` }],
  'quotas.set': () => [
    {
      scope: { kind: 'tenant' },
      measure: { kind: 'usage', meter: 'research.search' },
      period: 'month',
      cap: null,
      reason: 'mine',
    },
    {
      scope: { kind: 'agent', agentId: ALICE },
      measure: { kind: 'money', currency: USD },
      period: 'month',
      cap: 0,
      reason: 'mine',
    },
  ],
  'quotas.get': ({ quotaId }) => [{ quotaId }],
  'quotas.list': () => [{}],
  'quotas.events': () => [{}],
  'quotas.watch': () => [{ lastEventId: 0 }],
  'usage.record': () => [
    { events: [{ kind: 'usage', eventId: 'mine-1', meter: 'research.search', account: ALICE }] },
    {
      events: [
        {
          kind: 'correction',
          eventId: 'mine-2',
          corrects: 'secret-event-1',
          quantity: 0,
          reason: 'x',
        },
      ],
    },
  ],
  'usage.report': () => [{}, { account: ALICE }],
  'usage.events': () => [{}, { account: ALICE }],
  'usage.meters': () => [{}],
  'usage.defineMeter': () => [
    { meter: 'research.search', aggregation: 'max', description: 'mine' },
  ],
}

/** Everything that the victim's own auditor sees. */
async function lookAtVictim({ call }: Running, { quotaId, statementId }: Victim) {
  const looks: readonly [string, object][] = [
    ['billing.trialBalance', {}],
    ['billing.exportJournal', {}],
    ['billing.statements', { account: ALICE }],
    ['billing.invoice', { statementId }],
    ['billing.budget', { identifier: `jti-of-${ALICE}` }],
    ['quotas.list', {}],
    ['quotas.get', { quotaId }],
    ['quotas.events', {}],
    ['usage.report', { account: ALICE }],
    ['usage.events', { account: ALICE }],
  ]
  const seen = new Map<string, string>()
  for (const [path, input] of looks) {
    const answer = await call('acme', { path, type: 'query' }, input)
    // How far the book of everybody goes is where the next page begins.
    seen.set(path, answer.text.replace(/,"nextCursor":\d+/, ''))
  }
  return seen
}

/** What comes of a stream until the attacker's own event does, which is after those of the victim. */
async function readStream({ agent }: Running, path: string, input: object): Promise<string> {
  const abort = new AbortController()
  const url = `${agent.url}/trpc/${path}?input=${encodeURIComponent(JSON.stringify(input))}`
  const response = await fetch(url, {
    headers: { ...bearer('mallory'), accept: 'text/event-stream' },
    signal: abort.signal,
  })
  let text = ''
  if (response.status !== 200) return response.text()
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString()
    if (text.includes('"cap":3')) break
  }
  abort.abort()
  return text
}

/** Tries every attack by one procedure. Answers what was learnt, and what of the victim's is not as it was. */
async function attack(running: Running, victim: Victim, procedure: Procedure) {
  const before = await lookAtVictim(running, victim)
  const attacks = ATTACKS[procedure.path]?.(victim) ?? []
  const answers: string[] = []
  for (const plain of attacks) {
    for (const input of [plain, { ...plain, ownerId: VICTIM }]) {
      if (procedure.type === 'subscription') {
        answers.push(await readStream(running, procedure.path, input))
        continue
      }
      const body = { idempotencyKey: running.world.key(), ...input }
      answers.push((await running.call('mallory', procedure, body)).text)
    }
  }
  const after = await lookAtVictim(running, victim)
  const seen = [...before.values()].join('')
  // What the attacker sent itself may come back to it.
  const sent = JSON.stringify(attacks)
  const told = answers.join('')
  return {
    attacked: answers.length > 0,
    unseen: SECRETS.filter((secret) => !seen.includes(secret)),
    learnt: SECRETS.filter((secret) => told.includes(secret) && !sent.includes(secret)),
    moved: [...before.keys()].filter((look) => before.get(look) !== after.get(look)),
  }
}

describe.each(BILLING_ADAPTERS)('on $name, another organisation', (adapter) => {
  test('learns and moves nothing by any procedure that there is', async () => {
    await using running = await start(adapter)
    const { mutate, procedures, world } = running
    const victim = await setUpVictim(running)
    // The attacker has a quota of its own, reached after the victim's, so that its stream has an end.
    await mutate('mallory', 'quotas.set', {
      scope: { kind: 'tenant' },
      measure: { kind: 'usage', meter: 'research.search' },
      period: 'total',
      cap: 3,
      reason: 'mine',
    })
    await mutate('mallory', 'usage.record', {
      events: [{ kind: 'usage', eventId: 'mine', meter: 'research.search', quantity: 3 }],
    })

    const outcomes: Record<string, Awaited<ReturnType<typeof attack>>> = {}
    for (const procedure of procedures) {
      outcomes[procedure.path] = await attack(running, victim, procedure)
    }

    const nothing = { attacked: true, unseen: [], learnt: [], moved: [] }
    expect(outcomes).toEqual(
      Object.fromEntries(procedures.map(({ path }) => [path, nothing] as const)),
    )
    expect(Object.keys(ATTACKS).toSorted()).toEqual(procedures.map(({ path }) => path).toSorted())
    expect(await world.verify()).toEqual([])
  })
})
