import { describe, expect, test } from 'vitest'
import { createTemporaryFolder } from '../../../test/support/temporary-folder.ts'
import {
  ALICE,
  BOB,
  callBy,
  createBillingWorld,
  refusalOf,
  USD,
} from '../test-support/billing-world.ts'
import { createBillingService } from './billing-service.ts'
import { HOLD_TTL_SECONDS } from './holds/place-hold.ts'
import type { LedgerStore } from './ledger/ledger-store.ts'
import { QUOTE_TTL_SECONDS } from './quotes/make-quote.ts'

describe('a quote', () => {
  test('is priced from the price book and stands ten minutes', async () => {
    await using world = await createBillingWorld()

    const quote = await world.quote(ALICE, 3)

    expect(quote).toMatchObject({
      units: 3,
      baseMinor: 10,
      unitPriceMinor: 5,
      amount: { amountMinor: 25, currency: USD },
      priceBookVersion: '2026-11',
      expiresAt: world.clock.now() + 600,
    })
  })

  test('can be held until the second in which it expires', async () => {
    await using world = await createBillingWorld()
    await world.deposit(ALICE, 100)
    const { quoteId } = await world.quote(ALICE)
    const hold = async () =>
      world.service.hold(callBy(ALICE), { quoteId, reference: 'job', idempotencyKey: world.key() })

    world.clock.advance(QUOTE_TTL_SECONDS)
    const late = await refusalOf(hold())
    world.clock.advance(-1)

    expect(late).toEqual({ reason: 'quote_expired', code: 'CONFLICT' })
    expect(await hold()).toMatchObject({ state: 'held' })
  })

  test('is good for one hold, however many ask at once', async () => {
    await using world = await createBillingWorld()
    await world.deposit(ALICE, 1000)
    const { quoteId } = await world.quote(ALICE)

    const results = await Promise.allSettled(
      Array.from({ length: 10 }, async () =>
        world.service.hold(callBy(ALICE), {
          quoteId,
          reference: 'job',
          idempotencyKey: world.key(),
        }),
      ),
    )

    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await world.balance(ALICE)).toMatchObject({ availableMinor: 980, heldMinor: 20 })
  })

  test('of another agent looks like one that does not exist', async () => {
    await using world = await createBillingWorld()
    await world.deposit(BOB, 100)
    const { quoteId } = await world.quote(ALICE)
    const hold = async (id: string) =>
      refusalOf(
        world.service.hold(callBy(BOB), {
          quoteId: id,
          reference: 'job',
          idempotencyKey: world.key(),
        }),
      )

    expect(await hold(quoteId)).toEqual(await hold('no-such-quote'))
    expect(await hold(quoteId)).toEqual({ reason: 'quote_unknown', code: 'NOT_FOUND' })
  })
})

describe('a hold', () => {
  test('needs the money, to the cent', async () => {
    await using world = await createBillingWorld()
    await world.deposit(ALICE, 19)

    const short = await refusalOf(world.hold(ALICE))
    await world.deposit(ALICE, 1)

    expect(short).toEqual({ reason: 'insufficient_funds', code: 'UNPROCESSABLE_CONTENT' })
    expect(await world.hold(ALICE)).toMatchObject({ state: 'held', amount: { amountMinor: 20 } })
    expect(await world.balance(ALICE)).toMatchObject({ availableMinor: 0, heldMinor: 20 })
  })

  test('parallel holds never overdraw the account', async () => {
    // Attack: many holds at once, each of which sees the same balance.
    await using world = await createBillingWorld()
    await world.deposit(ALICE, 100)

    const results = await Promise.allSettled(
      Array.from({ length: 50 }, async (_, at) => world.hold(ALICE, `job-${String(at)}`)),
    )

    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(5)
    expect(await world.balance(ALICE)).toMatchObject({ availableMinor: 0, heldMinor: 100 })
    expect(await world.verify()).toEqual([])
  })

  test('is captured in part, and the rest returns', async () => {
    await using world = await createBillingWorld()
    await world.deposit(ALICE, 100)
    const { holdId } = await world.hold(ALICE)

    const captured = await world.service.capture(callBy(ALICE), {
      holdId,
      amountMinor: 15,
      idempotencyKey: world.key(),
    })

    expect(captured).toMatchObject({ state: 'captured', capturedMinor: 15 })
    expect(await world.balance(ALICE)).toMatchObject({ availableMinor: 85, heldMinor: 0 })
    const { accounts, totalMinor } = await world.service.trialBalance(callBy('operator'), {
      currency: USD,
    })
    expect(accounts).toContainEqual({ account: 'income:research.brief', balanceMinor: 15 })
    expect(totalMinor).toBe(0)
  })

  test('ends once, and above what is held not at all', async () => {
    await using world = await createBillingWorld()
    await world.deposit(ALICE, 100)
    const { holdId } = await world.hold(ALICE)
    const capture = async (amountMinor: number) =>
      world.service.capture(callBy(ALICE), { holdId, amountMinor, idempotencyKey: world.key() })
    const release = async () =>
      world.service.release(callBy(ALICE), { holdId, idempotencyKey: world.key() })

    const above = await refusalOf(capture(21))
    await capture(20)

    expect(above.reason).toBe('capture_exceeds_hold')
    expect(await refusalOf(capture(1))).toEqual({ reason: 'hold_captured', code: 'CONFLICT' })
    expect((await refusalOf(release())).reason).toBe('hold_captured')
    expect(await world.balance(ALICE)).toMatchObject({ availableMinor: 80, heldMinor: 0 })
  })

  test('that expired can be released and no longer captured', async () => {
    await using world = await createBillingWorld()
    await world.deposit(ALICE, 100)
    const { holdId } = await world.hold(ALICE)
    world.clock.advance(HOLD_TTL_SECONDS)

    const late = await refusalOf(
      world.service.capture(callBy(ALICE), { holdId, amountMinor: 1, idempotencyKey: world.key() }),
    )
    const released = await world.service.release(callBy(ALICE), {
      holdId,
      idempotencyKey: world.key(),
    })

    expect(late.reason).toBe('hold_expired')
    expect(released.state).toBe('released')
    expect(await world.balance(ALICE)).toMatchObject({ availableMinor: 100, heldMinor: 0 })
  })

  test('of another agent can be neither captured nor released', async () => {
    // Attack: bob learns the id of alice's hold.
    await using world = await createBillingWorld()
    await world.deposit(ALICE, 100)
    const { holdId } = await world.hold(ALICE)

    const refusals = [
      await refusalOf(
        world.service.capture(callBy(BOB), { holdId, amountMinor: 1, idempotencyKey: world.key() }),
      ),
      await refusalOf(world.service.release(callBy(BOB), { holdId, idempotencyKey: world.key() })),
    ]

    expect(refusals.map(({ reason }) => reason)).toEqual(['hold_unknown', 'hold_unknown'])
  })
})

describe('a deposit', () => {
  test("goes to the account that it names, and is answered with that account's balance", async () => {
    await using world = await createBillingWorld()
    await world.deposit(ALICE, 100)

    const balance = await world.deposit(ALICE, 50)

    expect(balance).toEqual({ account: ALICE, currency: USD, availableMinor: 150, heldMinor: 0 })
  })

  test('is on the trial balance of its own currency only', async () => {
    await using world = await createBillingWorld()
    await world.deposit(ALICE, 100)
    await world.service.deposit(callBy('operator'), {
      account: ALICE,
      amount: { amountMinor: 7, currency: 'EUR' },
      idempotencyKey: world.key(),
    })

    const ledger = await world.service.trialBalance(callBy('operator'), { currency: 'EUR' })

    expect(ledger).toEqual({
      currency: 'EUR',
      accounts: [
        { account: `agent:${ALICE}:available`, balanceMinor: 7 },
        { account: 'external:funding', balanceMinor: -7 },
      ],
      totalMinor: 0,
    })
  })
})

describe('an idempotency key', () => {
  test('gets the first answer again, and the act is done once, however many call at once', async () => {
    await using world = await createBillingWorld()
    const input = {
      account: ALICE,
      amount: { amountMinor: 100, currency: USD },
      idempotencyKey: 'the-one-key',
    }

    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => world.service.deposit(callBy('operator'), input)),
    )

    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(await world.balance(ALICE)).toMatchObject({ availableMinor: 100 })
  })

  test('is refused with another body, or for another procedure', async () => {
    await using world = await createBillingWorld()
    const key = 'the-one-key'
    const first = { service: 'research.brief', units: 1, idempotencyKey: key } as const
    await world.service.quote(callBy(ALICE), first)

    const body = await refusalOf(world.service.quote(callBy(ALICE), { ...first, units: 2 }))
    const procedure = await refusalOf(
      world.service.release(callBy(ALICE), { holdId: 'x', idempotencyKey: key }),
    )

    expect(body).toEqual({ reason: 'idempotency_conflict', code: 'CONFLICT' })
    expect(procedure).toEqual(body)
  })

  test("is each caller's own", async () => {
    await using world = await createBillingWorld()
    const input = { service: 'research.brief', units: 1, idempotencyKey: 'the-one-key' } as const

    const [alice, bob] = [
      await world.service.quote(callBy(ALICE), input),
      await world.service.quote(callBy(BOB), input),
    ]

    expect(alice.quoteId).not.toBe(bob.quoteId)
  })

  test('of an act that was refused is free again', async () => {
    await using world = await createBillingWorld()
    const { quoteId } = await world.quote(ALICE)
    const hold = async () =>
      world.service.hold(callBy(ALICE), {
        quoteId,
        reference: 'job',
        idempotencyKey: 'the-one-key',
      })

    const refused = await refusalOf(hold())
    await world.deposit(ALICE, 100)

    expect(refused.reason).toBe('insufficient_funds')
    expect(await hold()).toMatchObject({ state: 'held' })
  })

  test('is remembered across a restart', async () => {
    await using folder = await createTemporaryFolder()
    const input = {
      account: ALICE,
      amount: { amountMinor: 100, currency: USD },
      idempotencyKey: 'the-one-key',
    }
    const before = await createBillingWorld({ file: folder.file('billing.sqlite') })
    await before.service.deposit(callBy('operator'), input)
    await before[Symbol.asyncDispose]()

    await using after = await createBillingWorld({ file: folder.file('billing.sqlite') })
    await after.service.deposit(callBy('operator'), input)

    expect(await after.balance(ALICE)).toMatchObject({ availableMinor: 100 })
  })
})

test('a balance is of one moment, whatever is held while it is read', async () => {
  await using world = await createBillingWorld()
  await world.deposit(ALICE, 100)
  const { storage } = world
  const service = createBillingService({
    clock: world.clock,
    receipts: async () => Promise.reject(new Error('nobody asks for receipts')),
    storage: {
      ...storage,
      // A hold is placed after each look at the ledger.
      read: async (work) =>
        storage.read(async ({ ledger, ...stores }) => {
          const balanceOf: LedgerStore['balanceOf'] = async (account, currency) => {
            const balance = await ledger.balanceOf(account, currency)
            await world.hold(ALICE)
            return balance
          }
          return work({ ...stores, ledger: { ...ledger, balanceOf } })
        }),
    },
  })

  const balance = await service.balance(callBy(ALICE), { currency: USD })

  expect(balance.availableMinor + balance.heldMinor).toBe(100)
})
