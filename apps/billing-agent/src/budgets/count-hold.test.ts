import { describe, expect, test } from 'vitest'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import {
  ALICE,
  budgetOf,
  callBelow,
  callBy,
  createBillingWorld,
  refusalOf,
  USD,
} from '../../test-support/billing-world.ts'
import { HOLD_TTL_SECONDS } from '../holds/place-hold.ts'
import { createBillingService } from '../billing-service.ts'
import { openStorage } from '../storage/open-storage.ts'

type World = Awaited<ReturnType<typeof createBillingWorld>>

const TASK = 'task-1'
/** A token right below the task grant, which has 0.50: room for two holds of 20 minor units. */
const BELOW = callBelow(['credential-1', TASK, 'token-1'], budgetOf(TASK, '0.50'))

async function createWorld(file?: string) {
  const world = await createBillingWorld(file === undefined ? undefined : { file })
  await world.deposit(ALICE, 10_000)
  return world
}

const useOf = async (world: World, identifier = TASK) =>
  world.storage.transaction(async ({ budgets }) =>
    budgets.find({ identifier, currency: USD, ownerId: undefined }),
  )

const end = async (world: World, holdId: string, amountMinor: number | undefined) => {
  const idempotencyKey = world.key()
  return amountMinor === undefined
    ? world.service.release(BELOW, { holdId, idempotencyKey })
    : world.service.capture(BELOW, { holdId, amountMinor, idempotencyKey })
}

describe('a hold below a budget', () => {
  test('counts against it, and one that does not fit is refused with the numbers', async () => {
    await using world = await createWorld()
    await world.holdBy(BELOW)
    await world.holdBy(BELOW)

    const error: unknown = await world.holdBy(BELOW).catch((thrown: unknown) => thrown)

    expect(error).toMatchObject({
      reason: 'budget_exceeded',
      code: 'FORBIDDEN',
      message:
        'The budget of the grant task-1 is 50 minor units of USD, of which 40 are used: 20 more do not fit',
    })
    expect(await useOf(world)).toEqual({ capMinor: 50, heldMinor: 40, capturedMinor: 0 })
    expect(await world.balance(ALICE)).toMatchObject({ heldMinor: 40 })
  })

  test('fits to the last cent', async () => {
    await using world = await createWorld()
    const exact = callBelow([TASK], budgetOf(TASK, '0.20'))

    await world.holdBy(exact)

    expect(await useOf(world)).toMatchObject({ capMinor: 20, heldMinor: 20 })
    expect((await refusalOf(world.holdBy(exact, 1))).reason).toBe('budget_exceeded')
  })

  test('that is captured in part gives back the rest', async () => {
    await using world = await createWorld()
    const { holdId } = await world.holdBy(BELOW)

    await end(world, holdId, 15)

    expect(await useOf(world)).toEqual({ capMinor: 50, heldMinor: 0, capturedMinor: 15 })
  })

  test('that is released gives back all', async () => {
    await using world = await createWorld()
    const { holdId } = await world.holdBy(BELOW)

    await end(world, holdId, undefined)

    expect(await useOf(world)).toEqual({ capMinor: 50, heldMinor: 0, capturedMinor: 0 })
  })

  test('is ended by a call with another token, and moves the budget it was placed under', async () => {
    await using world = await createWorld()
    const { holdId } = await world.holdBy(BELOW)

    await world.service.capture(callBy(ALICE), {
      holdId,
      amountMinor: 20,
      idempotencyKey: world.key(),
    })

    expect(await useOf(world)).toEqual({ capMinor: 50, heldMinor: 0, capturedMinor: 20 })
  })

  test('gives back at the second in which it expires, and may not be captured after', async () => {
    await using world = await createWorld()
    const { holdId } = await world.holdBy(BELOW)
    await world.holdBy(BELOW)

    world.clock.advance(HOLD_TTL_SECONDS - 1)
    const before = await refusalOf(world.holdBy(BELOW))
    world.clock.advance(1)
    await world.holdBy(BELOW)
    await world.holdBy(BELOW)
    // Attack: a clock that goes back, so that what others use by now is captured as well.
    world.clock.advance(-2)
    const late = await refusalOf(end(world, holdId, 20))

    expect([before.reason, late.reason]).toEqual(['budget_exceeded', 'hold_expired'])
    expect(await useOf(world)).toEqual({ capMinor: 50, heldMinor: 40, capturedMinor: 0 })
  })

  test('that expired can still be released, and is given back once', async () => {
    await using world = await createWorld()
    const { holdId } = await world.holdBy(BELOW)
    world.clock.advance(HOLD_TTL_SECONDS)
    await world.holdBy(BELOW)

    await end(world, holdId, undefined)

    expect(await useOf(world)).toMatchObject({ heldMinor: 20 })
    expect(await world.balance(ALICE)).toMatchObject({ heldMinor: 20 })
  })

  test('that is repeated with its key counts once', async () => {
    await using world = await createWorld()
    const { quoteId } = await world.quote(ALICE)
    const input = { quoteId, reference: 'job', idempotencyKey: world.key() }

    const first = await world.service.hold(BELOW, input)
    const again = await world.service.hold(BELOW, input)

    expect(again).toEqual(first)
    expect(await useOf(world)).toMatchObject({ heldMinor: 20 })
  })

  test('that cannot be paid for counts for nothing', async () => {
    await using world = await createBillingWorld()

    const refused = await refusalOf(world.holdBy(BELOW))

    expect(refused.reason).toBe('insufficient_funds')
    expect(await useOf(world)).toBeUndefined()
  })

  test('does not tell what is on an account to whoever may not spend it', async () => {
    await using world = await createBillingWorld()
    await world.deposit(ALICE, 7)

    const refused = await refusalOf(world.holdBy(callBelow([TASK], budgetOf(TASK, '0.01'))))

    expect(refused.reason).toBe('budget_exceeded')
  })
})

describe('budgets of several grants', () => {
  const [OUTER, INNER] = ['task-1', 'token-1']
  const both = (inner: string) =>
    callBelow([OUTER, INNER, 'token-2'], budgetOf(OUTER, '0.50'), budgetOf(INNER, inner))

  test('hold together, and one that refuses counts nothing against the others', async () => {
    await using world = await createWorld()
    await world.holdBy(both('0.20'))

    const refused = await refusalOf(world.holdBy(both('0.20')))

    expect(refused.reason).toBe('budget_exceeded')
    expect(await useOf(world, OUTER)).toMatchObject({ heldMinor: 20 })
    expect(await useOf(world, INNER)).toMatchObject({ heldMinor: 20 })
  })

  test('share what the grant above them has', async () => {
    // Attack: handing on the whole budget to each of several agents.
    await using world = await createWorld()
    const branch = (id: string) =>
      callBelow([OUTER, id], budgetOf(OUTER, '0.50'), budgetOf(id, '0.50'))
    await world.holdBy(branch('branch-1'))
    await world.holdBy(branch('branch-2'))

    const refused = await refusalOf(world.holdBy(branch('branch-3')))

    expect(refused.reason).toBe('budget_exceeded')
  })

  test('are not raised by a token that says more of the same grant', async () => {
    // Attack: a later token below the same grant with a higher cap.
    await using world = await createWorld()
    await world.holdBy(callBelow([TASK], budgetOf(TASK, '0.20')))

    const refused = await refusalOf(world.holdBy(callBelow([TASK], budgetOf(TASK, '99.00'))))

    expect(refused.reason).toBe('budget_exceeded')
  })
})

test('a budget in another currency lets nothing be held, also beside one that would', async () => {
  await using world = await createWorld()
  const euros = callBelow(
    [TASK, 'token-1'],
    budgetOf(TASK, '5.00'),
    budgetOf('token-1', '5.00', 'EUR'),
  )

  expect((await refusalOf(world.holdBy(euros))).reason).toBe('budget_currency')
  expect(await world.balance(ALICE)).toMatchObject({ heldMinor: 0 })
  expect(await useOf(world)).toBeUndefined()
})

test.each([
  ['of no grant of its own path', budgetOf('task-of-bob', '5.00')],
  ['that cannot be read', budgetOf(TASK, 'much')],
])('a budget %s is refused, whoever let it through', async (_what, budget) => {
  await using world = await createWorld()

  await expect(world.holdBy(callBelow([TASK], budget))).rejects.toMatchObject({
    refusal: { reason: 'limit_malformed' },
  })
})

test('many branches at once never overspend, at two processes on one file', async () => {
  // Attack: fifty branches below one grant, each of which looks before any other has written.
  await using folder = await createTemporaryFolder()
  const file = folder.file('billing.sqlite')
  await using world = await createWorld(file)
  await using second = await openStorage({ file: file })
  const other = createBillingService({
    storage: second,
    clock: world.clock,
    receipts: async () => Promise.reject(new Error('not asked')),
  })
  const branches = Array.from({ length: 50 }, (_, at) => {
    const id = `branch-${String(at)}`
    return callBelow([TASK, id], budgetOf(TASK, '1.99'), budgetOf(id, '0.20'))
  })

  const results = await Promise.allSettled(
    branches.map(async (call, at) => {
      const input = { service: 'research.brief', units: 2, idempotencyKey: world.key() } as const
      const { quoteId } = await world.service.quote(call, input)
      const hold = { quoteId, reference: `job-${String(at)}`, idempotencyKey: world.key() }
      return (at % 2 === 0 ? world.service : other).hold(call, hold)
    }),
  )

  const held = results.filter(({ status }) => status === 'fulfilled')
  const reasons = results.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []))
  expect(held).toHaveLength(9)
  expect(reasons.every((text) => text.includes('of which 180 are used'))).toBe(true)
  expect(await useOf(world)).toEqual({ capMinor: 199, heldMinor: 180, capturedMinor: 0 })
  expect(await world.balance(ALICE)).toMatchObject({ heldMinor: 180 })
  expect(await world.verify()).toEqual([])
})
