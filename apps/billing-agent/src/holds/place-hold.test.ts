import { expect, test } from 'vitest'
import {
  ALICE,
  BOB,
  callBy,
  callOnBehalf,
  createBillingWorld,
  refusalOf,
  USD,
} from '../../test-support/billing-world.ts'
import { HOLD_TTL_SECONDS } from './place-hold.ts'

type World = Awaited<ReturnType<typeof createBillingWorld>>

const hold = async (world: World, quoteId: string) =>
  world.service.hold(callBy(ALICE), { quoteId, reference: 'job', idempotencyKey: world.key() })

test('a quote that was used is said to be used, also when the money is all gone', async () => {
  await using world = await createBillingWorld()
  await world.deposit(ALICE, 20)
  const { quoteId } = await world.quote(ALICE)
  await hold(world, quoteId)

  const refused = await refusalOf(hold(world, quoteId))

  expect(refused).toEqual({ reason: 'quote_used', code: 'CONFLICT' })
})

test('a quote whose hold was released stays used', async () => {
  await using world = await createBillingWorld()
  await world.deposit(ALICE, 100)
  const { quoteId } = await world.quote(ALICE)
  const { holdId } = await hold(world, quoteId)
  await world.service.release(callBy(ALICE), { holdId, idempotencyKey: world.key() })

  expect((await refusalOf(hold(world, quoteId))).reason).toBe('quote_used')
})

test('a quote that could not be paid for is not used up', async () => {
  await using world = await createBillingWorld()
  const { quoteId } = await world.quote(ALICE)
  const short = await refusalOf(hold(world, quoteId))
  await world.deposit(ALICE, 20)

  const held = await hold(world, quoteId)

  expect([short.reason, held.state]).toEqual(['insufficient_funds', 'held'])
})

test('a hold stands an hour, to the second', async () => {
  await using world = await createBillingWorld()
  await world.deposit(ALICE, 100)
  const { expiresAt, holdId } = await world.hold(ALICE)
  const capture = async () =>
    world.service.capture(callBy(ALICE), { holdId, amountMinor: 1, idempotencyKey: world.key() })

  world.clock.advance(HOLD_TTL_SECONDS)
  const late = await refusalOf(capture())
  world.clock.advance(-1)

  expect(expiresAt).toBe(world.clock.now() + 1)
  expect(HOLD_TTL_SECONDS).toBe(3600)
  expect(late).toEqual({ reason: 'hold_expired', code: 'CONFLICT' })
  expect(await capture()).toMatchObject({ state: 'captured' })
})

test("money in another currency does not pay for a quote's", async () => {
  await using world = await createBillingWorld()
  await world.service.deposit(callBy('operator'), {
    account: ALICE,
    amount: { amountMinor: 1000, currency: 'EUR' },
    idempotencyKey: world.key(),
  })

  expect((await refusalOf(world.hold(ALICE))).reason).toBe('insufficient_funds')
  expect(await world.service.balance(callBy(ALICE), { currency: 'EUR' })).toMatchObject({
    availableMinor: 1000,
    heldMinor: 0,
  })
})

test('an agent that acts for alice spends from her account, and not from its own or from bob’s', async () => {
  await using world = await createBillingWorld()
  await world.deposit(ALICE, 100)
  await world.deposit(BOB, 100)
  const call = callOnBehalf(BOB, ALICE)
  const { quoteId } = await world.service.quote(call, {
    service: 'research.brief',
    units: 2,
    idempotencyKey: world.key(),
  })

  await world.service.hold(call, { quoteId, reference: 'job', idempotencyKey: world.key() })

  expect(await world.service.balance(call, { currency: USD })).toMatchObject({
    account: ALICE,
    availableMinor: 80,
    heldMinor: 20,
  })
  expect(await world.balance(BOB)).toMatchObject({ availableMinor: 100, heldMinor: 0 })
})
