// What the ledger promises, on SQLite and on PostgreSQL alike.
import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { createPostgresDatabase, postgresUrl } from '../../../test/support/postgres-database.ts'
import { createTemporaryFolder } from '../../../test/support/temporary-folder.ts'
import {
  ALICE,
  BOB,
  callBy,
  createBillingWorld,
  receiptFor,
  refusalOf,
  USD,
} from '../test-support/billing-world.ts'
import { expireHolds } from './holds/expire-holds.ts'
import { HOLD_TTL_SECONDS } from './holds/place-hold.ts'
import { ANSWER_TTL_SECONDS, pruneAnswers } from './idempotency/run-once.ts'
import { renderInvoice } from './invoices/render-invoice.ts'

const ADAPTERS = [
  {
    name: 'SQLite',
    async open() {
      const folder = await createTemporaryFolder()
      return { location: { file: folder.file('billing.sqlite') }, place: folder }
    },
  },
  ...(postgresUrl === undefined
    ? []
    : [
        {
          name: 'PostgreSQL',
          async open() {
            const place = await createPostgresDatabase()
            return { location: { url: place.url }, place }
          },
        },
      ]),
]

const isHledgerThere = spawnSync('hledger', ['--version']).status === 0
if (!isHledgerThere && process.env['CI'] !== undefined) throw new Error('install hledger')

async function openWorlds(adapter: (typeof ADAPTERS)[number]) {
  await using stack = new AsyncDisposableStack()
  const { location, place } = await adapter.open()
  stack.use(place)
  const world = stack.use(await createBillingWorld(location))
  const other = stack.use(await createBillingWorld(location))
  const resources = stack.move()
  return { world, other, [Symbol.asyncDispose]: async () => resources.disposeAsync() }
}

/** A capture of 15 minor units of a hold over 20. */
async function capture(
  world: Awaited<ReturnType<typeof createBillingWorld>>,
  agentId = ALICE,
  reference = 'job-1',
) {
  const { holdId } = await world.hold(agentId, reference)
  const input = { holdId, amountMinor: 15, idempotencyKey: world.key() }
  return world.service.capture(callBy(agentId), input)
}

const operator = callBy('operator')

/** The operator of another organisation. */
const mallory = {
  ...operator,
  principal: { ...operator.principal, ownerId: 'mallory', scopes: ['billing:audit'] },
}

describe.each(ADAPTERS)('on $name', (adapter) => {
  test('two processes spend from one account, and never more than is there', async () => {
    await using worlds = await openWorlds(adapter)
    const { other, world } = worlds
    await world.deposit(ALICE, 100)
    // The keys of both count alike: each has callers of its own.
    const quotes = await Promise.all(Array.from({ length: 20 }, async () => world.quote(ALICE)))

    const holds = await Promise.allSettled(
      quotes.map(async ({ quoteId }, place) =>
        (place % 2 === 0 ? world : other).service.hold(callBy(ALICE), {
          quoteId,
          reference: 'job',
          idempotencyKey: `hold-by-place-${String(place)}`,
        }),
      ),
    )

    expect(holds.filter(({ status }) => status === 'fulfilled')).toHaveLength(5)
    expect(await world.balance(ALICE)).toMatchObject({ availableMinor: 0, heldMinor: 100 })
    expect(await world.verify()).toEqual([])
  })

  test('replay: the same key at two processes at once does the work once', async () => {
    await using worlds = await openWorlds(adapter)
    const { other, world } = worlds
    const input = {
      account: ALICE,
      amount: { amountMinor: 100, currency: USD },
      idempotencyKey: 'one-deposit',
    }

    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, place) =>
        (place % 2 === 0 ? world : other).service.deposit(operator, input),
      ),
    )

    expect(new Set(answers.map(({ availableMinor }) => availableMinor))).toEqual(new Set([100]))
    const another = { ...input, amount: { amountMinor: 1, currency: USD } }
    expect(await refusalOf(other.service.deposit(operator, another))).toMatchObject({
      reason: 'idempotency_conflict',
    })
  })

  test('refunds of a capture never come to more than was captured', async () => {
    await using worlds = await openWorlds(adapter)
    const { world } = worlds
    await world.deposit(ALICE, 100)
    const { holdId } = await capture(world)
    const refund = async (amountMinor: number) =>
      world.service.refund(operator, {
        holdId,
        amountMinor,
        reason: 'too late',
        idempotencyKey: world.key(),
      })

    const first = await refund(10)

    expect(first).toMatchObject({ capturedMinor: 15, refundedMinor: 10 })
    expect(await refusalOf(refund(6))).toMatchObject({ reason: 'refund_exceeds_capture' })
    expect(await refund(5)).toMatchObject({ refundedMinor: 15 })
    expect(await world.balance(ALICE)).toMatchObject({ availableMinor: 100, heldMinor: 0 })
    expect(await world.verify()).toEqual([])
  })

  test('a hold whose time is over is given back once, by whichever of two processes comes first', async () => {
    await using worlds = await openWorlds(adapter)
    const { other, world } = worlds
    await world.deposit(ALICE, 100)
    const { holdId } = await world.hold(ALICE)
    world.clock.advance(HOLD_TTL_SECONDS - 1)
    expect(await expireHolds(world.storage, world.clock)).toBe(0)
    world.clock.advance(1)

    const ended = await Promise.all(
      [world, other].map(async ({ storage }) => expireHolds(storage, world.clock)),
    )

    expect(ended.toSorted((one, two) => one - two)).toEqual([0, 1])
    expect(await world.balance(ALICE)).toMatchObject({ availableMinor: 100, heldMinor: 0 })
    const input = { holdId, amountMinor: 1, idempotencyKey: world.key() }
    const late = world.service.capture(callBy(ALICE), input)
    expect(await refusalOf(late)).toMatchObject({ reason: 'hold_expired' })
  })

  test('answers are kept for their time and then forgotten', async () => {
    await using worlds = await openWorlds(adapter)
    const { world } = worlds
    await world.deposit(ALICE, 100)
    world.clock.advance(ANSWER_TTL_SECONDS)
    const early = await pruneAnswers(world.storage, world.clock)
    world.clock.advance(1)

    expect([early, await pruneAnswers(world.storage, world.clock)]).toEqual([0, 1])
  })

  test('a quote keeps the price that it was made with', async () => {
    await using worlds = await openWorlds(adapter)
    const { world } = worlds
    await world.deposit(ALICE, 100)
    const before = await world.quote(ALICE)
    await world.service.publishPrices(operator, {
      version: '2027-01',
      effectiveAt: world.clock.now() + 60,
      prices: [{ service: 'research.brief', baseMinor: 1, unitPriceMinor: 1, currency: USD }],
      idempotencyKey: world.key(),
    })
    const between = await world.quote(ALICE)
    world.clock.advance(60)
    const after = await world.quote(ALICE)

    expect([before, between, after].map(({ amount }) => amount.amountMinor)).toEqual([20, 20, 3])
    const work = { quoteId: before.quoteId, reference: 'job', idempotencyKey: world.key() }
    const hold = await world.service.hold(callBy(ALICE), work)
    expect(hold.amount.amountMinor).toBe(20)
  })

  test("cross-tenant: another organisation's operator sees, moves and reverts nothing", async () => {
    await using worlds = await openWorlds(adapter)
    const { world } = worlds
    await world.deposit(ALICE, 100)
    const { holdId } = await capture(world)
    const key = world.key()
    const { service } = world

    const books = await service.trialBalance(mallory, { currency: USD })
    const journal = await service.exportJournal(mallory, { cursor: 0 })
    const squat = { account: ALICE, amount: { amountMinor: 7, currency: USD } }
    await service.deposit(mallory, { ...squat, idempotencyKey: world.key() })
    const revert = { agentId: ALICE, since: 0, dryRun: false, idempotencyKey: world.key() }
    const reverted = await service.revertActor(mallory, revert)

    expect(books.accounts).toEqual([])
    expect(journal.journal).toBe('')
    expect(reverted.reversals).toEqual([])
    const refund = { holdId, amountMinor: 1, reason: 'mine', idempotencyKey: key }
    expect(await refusalOf(service.refund(mallory, refund))).toMatchObject({
      reason: 'hold_unknown',
    })
    const refusals = await Promise.all(
      [
        service.trialBalance(mallory, { currency: USD, ownerId: 'system' }),
        service.deposit(mallory, { ...squat, ownerId: 'system', idempotencyKey: world.key() }),
        service.refund(mallory, { ...refund, ownerId: 'system' }),
      ].map(async (call) => refusalOf(call)),
    )
    expect(refusals.map(({ reason }) => reason)).toEqual([
      'owner_unknown',
      'owner_unknown',
      'owner_unknown',
    ])
    expect(await world.balance(ALICE)).toMatchObject({ availableMinor: 85, heldMinor: 0 })
  })

  test('what an agent did is told first, then taken back, and a second time nothing is left', async () => {
    await using worlds = await openWorlds(adapter)
    const { world } = worlds
    await world.deposit(ALICE, 100)
    await world.deposit(BOB, 100)
    await capture(world)
    await world.hold(ALICE, 'job-2')
    await capture(world, BOB)
    const revert = async (dryRun: boolean) =>
      world.service.revertActor(operator, {
        agentId: ALICE,
        since: 0,
        dryRun,
        idempotencyKey: world.key(),
      })

    const told = await revert(true)
    const unmoved = await world.balance(ALICE)
    const done = await revert(false)

    expect(told.reversals.map(({ amount, outcome }) => [outcome, amount.amountMinor])).toEqual([
      ['refunded', 15],
      ['released', 20],
    ])
    expect(unmoved).toMatchObject({ availableMinor: 65, heldMinor: 20 })
    expect(done.reversals).toEqual(told.reversals)
    expect(await world.balance(ALICE)).toMatchObject({ availableMinor: 100, heldMinor: 0 })
    expect(await world.balance(BOB)).toMatchObject({ availableMinor: 85 })
    expect((await revert(false)).reversals).toEqual([])
    expect(await world.verify()).toEqual([])
  })

  test('a statement has what was given back, and a page whose texts are no markup', async () => {
    await using worlds = await openWorlds(adapter)
    const { world } = worlds
    await world.deposit(ALICE, 100)
    const captured = await capture(world)
    world.receipts.set('job-1', receiptFor(captured))
    await world.service.refund(operator, {
      holdId: captured.holdId,
      amountMinor: 5,
      reason: '<script>alert(1)</script>',
      idempotencyKey: world.key(),
    })

    const statement = await world.service.closeStatement(operator, {
      account: ALICE,
      currency: USD,
      idempotencyKey: world.key(),
    })
    const { statementId } = statement
    const invoice = await world.service.invoice(callBy(ALICE), { statementId })

    const { calls: _calls, isComplete: _isComplete, ...kept } = statement
    expect(invoice).toMatchObject({ number: 'INV-000001', statement: kept })
    expect(kept).toMatchObject({ totalMinor: 10, credits: [{ amountMinor: 5 }] })
    expect(invoice.html).toBe(renderInvoice(kept))
    expect(invoice.html).not.toContain('<script')
    expect(invoice.html).toContain('&lt;script&gt;')
    const ofBob = world.service.invoice(callBy(BOB), { statementId })
    expect(await refusalOf(ofBob)).toMatchObject({ reason: 'statement_unknown' })
    const ofMallory = world.service.invoice(mallory, { statementId })
    expect(await refusalOf(ofMallory)).toMatchObject({ reason: 'statement_unknown' })
  })

  test('a statement has the captures of all days since the last, in their order, and no others', async () => {
    await using worlds = await openWorlds(adapter)
    const { world } = worlds
    await world.deposit(ALICE, 100)
    await world.deposit(BOB, 100)
    const captureFor = async (job: string): Promise<string> => {
      const captured = await capture(world, ALICE, job)
      world.receipts.set(job, receiptFor(captured))
      return captured.holdId
    }
    const captured: string[] = []
    for (const [place, days] of [0, 0, 1, 40].entries()) {
      world.clock.advance(days * 86_400)
      captured.push(await captureFor(`job-${String(place)}`))
      await capture(world, BOB)
    }
    const close = async () =>
      world.service.closeStatement(operator, {
        account: ALICE,
        currency: USD,
        idempotencyKey: world.key(),
      })

    const { lines } = await close()
    world.clock.advance(86_400)
    const later = await captureFor('job-later')

    expect(lines.map(({ holdId }) => holdId)).toEqual(captured)
    expect((await close()).lines.map(({ holdId }) => holdId)).toEqual([later])
  })

  test.skipIf(!isHledgerThere)(
    'hledger reads the book and comes to the same balances',
    async () => {
      await using worlds = await openWorlds(adapter)
      const { world } = worlds
      await world.deposit(ALICE, 100)
      await capture(world)
      const { journal } = await world.service.exportJournal(operator, { cursor: 0 })
      const run = (...args: string[]) =>
        spawnSync('hledger', ['-f', '-', ...args], { input: journal, encoding: 'utf8' })

      const check = run('check', '--strict')
      const balances = run('balance', '--flat', '--no-total', '-O', 'csv')

      expect(check.stderr).toBe('')
      expect(balances.stdout.trim().split('\n').slice(1)).toEqual([
        `"agent:${ALICE}:available","USD 0.85"`,
        '"external:funding","USD -1.00"',
        '"income:research.brief","USD 0.15"',
      ])
    },
  )
})
