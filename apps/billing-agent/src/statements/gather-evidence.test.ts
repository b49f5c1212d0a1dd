// How evidence is asked for: beside the database, a few at a time, all or nothing.
import { expect, test } from 'vitest'
import {
  ALICE,
  callBy,
  createBillingWorld,
  receiptFor,
  USD,
} from '../../test-support/billing-world.ts'
import { createBillingService } from '../billing-service.ts'
import type { ReceiptAnswer, ReceiptSource } from '../receipts/receipt-source.ts'
import { MAX_LINES } from './close-statement.ts'

type World = Awaited<ReturnType<typeof createBillingWorld>>

const CALL = {
  from: 'agent-billing-v2',
  to: 'agent-research-v1',
  procedure: 'research.receipt',
  scopes: ['research:read'],
  outcome: 'ok',
  durationMs: 1,
}

/** Captures so many jobs of alice, each in a second of its own. */
async function captureJobs(world: World, count: number, from = 0): Promise<void> {
  for (let job = from; job < from + count; job += 1) {
    world.clock.advance(1)
    const reference = `job-${String(job)}`
    const { holdId } = await world.hold(ALICE, reference)
    const input = { holdId, amountMinor: 15, idempotencyKey: world.key() }
    const hold = await world.service.capture(callBy(ALICE), input)
    world.receipts.set(reference, receiptFor(hold))
  }
}

/** The receipt that the world has for a job. */
function readReceipt(world: World, reference: string): ReceiptAnswer {
  const receipt = world.receipts.get(reference)
  if (receipt === undefined || !('jobId' in receipt)) throw new Error(`no receipt: ${reference}`)
  return { ok: true, receipt, call: CALL }
}

/** The world's database behind a service with another way to receipts. */
const closeWith = async (world: World, receipts: ReceiptSource, idempotencyKey = world.key()) =>
  createBillingService({ ...world, receipts }).closeStatement(callBy('operator'), {
    account: ALICE,
    currency: USD,
    idempotencyKey,
  })

test('lines stand in the order of their captures, with receipts asked for eight at a time', async () => {
  await using world = await createBillingWorld()
  await world.deposit(ALICE, 1000)
  await captureJobs(world, 20)
  let open = 0
  let most = 0

  const statement = await closeWith(world, async (reference) => {
    open += 1
    most = Math.max(most, open)
    await new Promise(setImmediate)
    open -= 1
    return readReceipt(world, reference)
  })

  expect(statement.lines.map(({ reference }) => reference)).toEqual(
    Array.from({ length: 20 }, (_, job) => `job-${String(job)}`),
  )
  expect(statement).toMatchObject({ totalMinor: 300, closedAt: world.clock.now() })
  expect(statement.calls).toHaveLength(20)
  expect(most).toBe(8)
})

test('while evidence is asked for, others go on, and what they capture waits for the next statement', async () => {
  await using world = await createBillingWorld()
  await world.deposit(ALICE, 1000)
  await captureJobs(world, 1)

  // Inside of a transaction, this would wait for itself.
  const first = await closeWith(world, async (reference) => {
    await captureJobs(world, 1, 1)
    return readReceipt(world, reference)
  })
  const second = await closeWith(world, async (reference) => readReceipt(world, reference))

  expect(first.lines.map(({ reference }) => reference)).toEqual(['job-0'])
  expect(second.lines.map(({ reference }) => reference)).toEqual(['job-1'])
})

test('a line that another close took in the meantime is left to it', async () => {
  await using world = await createBillingWorld()
  await world.deposit(ALICE, 1000)
  await captureJobs(world, 1)
  const fetchNow = async (reference: string) => readReceipt(world, reference)
  const others: string[] = []

  const slow = await closeWith(world, async (reference) => {
    const other = await closeWith(world, fetchNow)
    others.push(...other.lines.map((line) => line.reference))
    return fetchNow(reference)
  })

  expect(others).toEqual(['job-0'])
  expect(slow).toMatchObject({ lines: [], totalMinor: 0 })
})

test('closes that run at once with one key are one statement', async () => {
  await using world = await createBillingWorld()
  await world.deposit(ALICE, 1000)
  await captureJobs(world, 3)
  const close = async () =>
    closeWith(world, async (reference) => readReceipt(world, reference), 'close-once')

  const statements = await Promise.all(Array.from({ length: 8 }, close))

  expect(new Set(statements.map((statement) => JSON.stringify(statement))).size).toBe(1)
  expect(statements[0]?.lines).toHaveLength(3)
})

test('a refusal names the job and the reason, and a later close gets every line', async () => {
  await using world = await createBillingWorld()
  await world.deposit(ALICE, 1000)
  await captureJobs(world, 3)
  const key = world.key()
  let isDown = true
  const receipts: ReceiptSource = async (reference) =>
    isDown && reference === 'job-2'
      ? { ok: false, reason: 'network_error', message: 'fetch failed', call: CALL }
      : readReceipt(world, reference)

  const refused = closeWith(world, receipts, key)
  await expect(refused).rejects.toMatchObject({
    reason: 'evidence_unavailable',
    message: 'No receipt for job-2: network_error: fetch failed',
  })
  isDown = false
  const closed = await closeWith(world, receipts, key)

  expect(closed.lines).toHaveLength(3)
})

test('captures in another currency are left for a statement in that one', async () => {
  await using world = await createBillingWorld()
  await world.deposit(ALICE, 1000)
  await captureJobs(world, 1)
  const service = createBillingService({
    ...world,
    receipts: async () => Promise.reject(new Error('nobody is to be asked')),
  })
  const euros = { account: ALICE, currency: 'EUR' }
  const amount = { amountMinor: 1, currency: 'EUR' }
  const operator = callBy('operator')
  await service.deposit(operator, { account: ALICE, amount, idempotencyKey: world.key() })

  const statement = await service.closeStatement(operator, {
    ...euros,
    idempotencyKey: world.key(),
  })

  expect(statement).toMatchObject({ currency: 'EUR', lines: [], totalMinor: 0, calls: [] })
})

test('of many captures a close takes the oldest and says so, and the next goes on there', async () => {
  await using world = await createBillingWorld()
  await world.deposit(ALICE, 100_000)
  await captureJobs(world, MAX_LINES + 1)
  const asked: string[] = []
  const receipts: ReceiptSource = async (reference) => {
    asked.push(reference)
    return readReceipt(world, reference)
  }

  const first = await closeWith(world, receipts)
  const second = await closeWith(world, receipts)

  expect([first, second].map(({ isComplete, lines }) => [lines.length, isComplete])).toEqual([
    [MAX_LINES, false],
    [1, true],
  ])
  expect(asked).toHaveLength(MAX_LINES + 1)
  expect(second.lines).toMatchObject([{ reference: `job-${String(MAX_LINES)}` }])
})

test('what is given back of a capture stands on no statement before the capture does', async () => {
  await using world = await createBillingWorld()
  await world.deposit(ALICE, 1000)
  await captureJobs(world, 1)

  const first = await closeWith(world, async (reference) => {
    const { holdId } = await world.hold(ALICE, 'job-late')
    const input = { holdId, amountMinor: 15, idempotencyKey: world.key() }
    world.receipts.set('job-late', receiptFor(await world.service.capture(callBy(ALICE), input)))
    const refund = { holdId, amountMinor: 5, reason: 'a test', idempotencyKey: world.key() }
    await world.service.refund(callBy('operator'), refund)
    return readReceipt(world, reference)
  })
  const second = await closeWith(world, async (reference) => readReceipt(world, reference))

  expect(first).toMatchObject({ totalMinor: 15, credits: [] })
  expect(second).toMatchObject({ totalMinor: 10, credits: [{ amountMinor: 5 }] })
})
