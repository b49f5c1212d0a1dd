import { expect, test } from 'vitest'
import { ALICE, callBy, createBillingWorld } from '../../test-support/billing-world.ts'

test('a hold that has ended stays as it ended, whatever a later act says', async () => {
  await using world = await createBillingWorld()
  await world.deposit(ALICE, 100)
  const { holdId } = await world.hold(ALICE)
  await world.service.release(callBy(ALICE), { holdId, idempotencyKey: world.key() })

  const hold = await world.storage.transaction(async ({ holds }) => {
    await holds.end(holdId, { capturedMinor: 20, endedAt: world.clock.now() + 1 })
    return holds.find({ ownerId: 'system', agentId: ALICE }, holdId)
  })

  expect(hold).toMatchObject({ state: 'released', capturedMinor: 0, endedAt: world.clock.now() })
})
