import { describe, expect, test } from 'vitest'
import { ALICE, BOB, createBillingWorld } from '../../test-support/billing-world.ts'
import { BILLING_ADAPTERS } from '../../test-support/databases.ts'
import { verifyLedger, type LedgerSource } from './verify-ledger.ts'

describe.each(BILLING_ADAPTERS)('checks of a book on $name', (adapter) => {
  test('that end after a later one leave what it added up as it is', async () => {
    // A check of all entries beside that of each minute, or the checks of two processes: the one that read less wrote last,
    // and the next one missed what was posted between the two.
    await using database = await adapter.open()
    await using world = await createBillingWorld(database.location)
    await world.deposit(ALICE, 100)
    const { storage } = world
    const slow: LedgerSource = {
      read: async (work) => storage.read(work),
      async transaction(work) {
        await world.deposit(ALICE, 5)
        await world.deposit(BOB, 5)
        await verifyLedger(storage, { entries: 'new' })
        return storage.transaction(work)
      },
    }
    await verifyLedger(slow, { entries: 'all' })

    const next = await verifyLedger(storage, { entries: 'new' })

    expect(next.fault).toBeUndefined()
  })
})
