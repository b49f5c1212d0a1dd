import { describe, expect, test } from 'vitest'
import { ALICE, BOB, callBy, createBillingWorld } from '../../test-support/billing-world.ts'
import { BILLING_ADAPTERS } from '../../test-support/databases.ts'
import { AUDITOR } from '../../test-support/quota-input.ts'
import { MAX_REVERSALS } from './revert-actor.ts'

describe.each(BILLING_ADAPTERS)('reverting on $name', (adapter) => {
  test('takes back the deposits whose money is there, however many others are spent', async () => {
    // Each call looked at the oldest 500, found their money gone, and came to no other.
    await using database = await adapter.open()
    await using world = await createBillingWorld(database.location)
    const spent = Array.from({ length: MAX_REVERSALS + 1 }, async () => world.deposit(ALICE, 10))
    await Promise.all(spent)
    const { amount, holdId } = await world.holdBy(callBy(ALICE), 1000)
    const capture = { holdId, amountMinor: amount.amountMinor, idempotencyKey: world.key() }
    await world.service.capture(callBy(ALICE), capture)
    world.clock.advance(1)
    await world.deposit(BOB, 100)

    const { isComplete, reversals } = await world.service.revertActor(AUDITOR, {
      agentId: 'operator',
      since: 0,
      dryRun: false,
      idempotencyKey: world.key(),
    })

    expect(reversals).toHaveLength(MAX_REVERSALS)
    expect(reversals.filter(({ outcome }) => outcome === 'taken_back')).toHaveLength(1)
    expect(isComplete).toBe(false)
    expect(await world.balance(BOB)).toMatchObject({ availableMinor: 0 })
  })
})
