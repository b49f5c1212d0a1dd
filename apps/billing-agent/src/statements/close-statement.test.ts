import { describe, expect, test } from 'vitest'
import {
  ALICE,
  BOB,
  callBy,
  createBillingWorld,
  receiptFor,
  refusalOf,
  USD,
} from '../../test-support/billing-world.ts'

type World = Awaited<ReturnType<typeof createBillingWorld>>

/** Work that alice was charged for. */
async function capture(world: World, reference: string, amountMinor = 15) {
  const { holdId } = await world.hold(ALICE, reference)
  const input = { holdId, amountMinor, idempotencyKey: world.key() }
  return world.service.capture(callBy(ALICE), input)
}
const close = async (world: World, idempotencyKey = world.key()) =>
  world.service.closeStatement(callBy('operator'), {
    account: ALICE,
    currency: USD,
    idempotencyKey,
  })

describe('closing a statement', () => {
  test('lists every capture since the last one, each with its evidence', async () => {
    await using world = await createBillingWorld()
    await world.deposit(ALICE, 1000)
    const first = await capture(world, 'job-1')
    world.receipts.set('job-1', receiptFor(first))
    await close(world)
    const second = await capture(world, 'job-2', 20)
    world.receipts.set('job-2', receiptFor(second))

    const statement = await close(world)

    expect(statement).toMatchObject({ account: ALICE, totalMinor: 20 })
    expect(statement.lines).toEqual([
      {
        holdId: second.holdId,
        reference: 'job-2',
        amountMinor: 20,
        capturedAt: world.clock.now(),
        evidence: { briefSha256: 'e'.repeat(64), sentences: 2, documents: 1, completedAt: 1 },
      },
    ])
    expect(statement.calls).toHaveLength(1)
  })

  test("leaves other agents' captures alone", async () => {
    await using world = await createBillingWorld()
    await world.deposit(ALICE, 1000)
    await world.deposit(BOB, 1000)
    const { holdId } = await world.hold(BOB, 'job-of-bob')
    const input = { holdId, amountMinor: 15, idempotencyKey: world.key() }
    await world.service.capture(callBy(BOB), input)

    expect(await close(world)).toMatchObject({ account: ALICE, lines: [], totalMinor: 0 })
    expect(world.asked).toEqual([])
  })

  test('leaves out what is held or was released', async () => {
    await using world = await createBillingWorld()
    await world.deposit(ALICE, 1000)
    await world.hold(ALICE, 'still-held')
    const { holdId } = await world.hold(ALICE, 'released')
    await world.service.release(callBy(ALICE), { holdId, idempotencyKey: world.key() })

    expect(await close(world)).toMatchObject({ lines: [], totalMinor: 0 })
    expect(world.asked).toEqual([])
  })

  test.each([
    ['another job', { jobId: 'job-9' }],
    ['another hold', { holdId: 'hold-9' }],
    ['another amount', { cost: { amountMinor: 14, currency: USD } }],
    ['another currency', { cost: { amountMinor: 15, currency: 'EUR' } }],
  ])('is refused when a receipt is about %s, and nothing is closed', async (_what, changes) => {
    // Attack: research charges for one piece of work and shows the receipt of another.
    await using world = await createBillingWorld()
    await world.deposit(ALICE, 1000)
    const hold = await capture(world, 'job-1')
    world.receipts.set('job-1', receiptFor(hold, changes))

    const refused = await refusalOf(close(world))
    world.receipts.set('job-1', receiptFor(hold))

    expect(refused).toEqual({ reason: 'evidence_mismatch', code: 'CONFLICT' })
    expect((await close(world)).lines).toHaveLength(1)
  })

  test('is refused when one receipt of several cannot be had', async () => {
    await using world = await createBillingWorld()
    await world.deposit(ALICE, 1000)
    const hold = await capture(world, 'job-1')
    await capture(world, 'job-2')
    world.receipts.set('job-1', receiptFor(hold))
    world.receipts.set('job-2', { reason: 'network_error', message: 'fetch failed' })

    const refused = await refusalOf(close(world))

    expect(refused).toEqual({ reason: 'evidence_unavailable', code: 'BAD_GATEWAY' })
  })

  test('needs no evidence of what was given back whole, which stands on no statement', async () => {
    // Work whose receipt is lost kept the account from every statement to come.
    await using world = await createBillingWorld()
    await world.deposit(ALICE, 1000)
    const lost = await capture(world, 'job-lost')
    const kept = await capture(world, 'job-kept')
    world.receipts.set('job-lost', { reason: 'receipt_unknown', message: 'There is no receipt' })
    world.receipts.set('job-kept', receiptFor(kept))
    const refund = async (holdId: string, amountMinor: number) =>
      world.service.refund(callBy('operator'), {
        holdId,
        amountMinor,
        reason: 'nothing to show for it',
        idempotencyKey: world.key(),
      })
    await refund(lost.holdId, 10)
    await refund(kept.holdId, 1)

    const early = await refusalOf(close(world))
    await refund(lost.holdId, 5)
    const first = await close(world)
    await refund(kept.holdId, 14)
    const second = await close(world)

    expect(early.reason).toBe('evidence_unavailable')
    expect(first.lines.map(({ reference }) => reference)).toEqual(['job-kept'])
    expect(first.credits.map(({ holdId }) => holdId)).toEqual([kept.holdId])
    expect(first.totalMinor).toBe(14)
    expect(second).toMatchObject({ lines: [], credits: [{ amountMinor: 14 }], totalMinor: -14 })
  })

  test('is refused for an account that was never paid into', async () => {
    await using world = await createBillingWorld()

    expect((await refusalOf(close(world))).reason).toBe('account_unknown')
  })

  test('never puts a capture on two statements, however many close at once', async () => {
    await using world = await createBillingWorld()
    await world.deposit(ALICE, 1000)
    for (const reference of ['job-1', 'job-2', 'job-3']) {
      world.receipts.set(reference, receiptFor(await capture(world, reference)))
    }

    const statements = await Promise.all(Array.from({ length: 8 }, async () => close(world)))

    const holds = statements.flatMap(({ lines }) => lines.map(({ holdId }) => holdId))
    expect(holds).toHaveLength(3)
    expect(new Set(holds).size).toBe(3)
  })

  test('gives the same statement again for the same key, and asks nobody', async () => {
    await using world = await createBillingWorld()
    await world.deposit(ALICE, 1000)
    world.receipts.set('job-1', receiptFor(await capture(world, 'job-1')))
    const first = await close(world, 'close-once')
    world.receipts.set('job-2', receiptFor(await capture(world, 'job-2')))
    world.asked.length = 0

    const again = await close(world, 'close-once')

    expect(again).toEqual(first)
    expect(world.asked).toEqual([])
  })
})
