import { describe, expect, test } from 'vitest'
import {
  ALICE,
  BOB,
  callBy,
  createBillingWorld,
  refusalOf,
  USD,
} from '../../test-support/billing-world.ts'
import { BILLING_ADAPTERS } from '../../test-support/databases.ts'
import { toPosting } from '../service-deps.ts'
import { availableAccount, fundingAccount, transfer } from './posting.ts'

const OWNER = 'agent-acme-v1'

describe.each(BILLING_ADAPTERS)('a book on $name', (adapter) => {
  test('holds what a number holds: whoever pays in more stops nobody from checking it', async () => {
    // Attack: an operator of one organisation pays in until no check, trial balance or statement of any works.
    await using database = await adapter.open()
    await using world = await createBillingWorld(database.location)
    const amountMinor = Number.MAX_SAFE_INTEGER - 10
    const account = availableAccount({ ownerId: OWNER, agentId: BOB })
    await world.storage.transaction(async ({ ledger }) =>
      ledger.post(
        toPosting(callBy('operator'), {
          procedure: 'billing.deposit',
          createdAt: 1,
          currency: USD,
          ownerId: OWNER,
          entries: transfer(fundingAccount(OWNER), account, amountMinor),
        }),
      ),
    )
    const deposit = async (more: number) =>
      world.service.deposit(callBy('operator'), {
        account: ALICE,
        ownerId: OWNER,
        amount: { amountMinor: more, currency: USD },
        idempotencyKey: world.key(),
      })

    const refused = await refusalOf(deposit(11))
    const last = await deposit(10)

    expect(refused).toEqual({ reason: 'deposit_out_of_range', code: 'UNPROCESSABLE_CONTENT' })
    expect(last.availableMinor).toBe(10)
    expect(await world.verify()).toEqual([])
    expect((await world.deposit(ALICE, 1)).availableMinor).toBe(1)
  })
})
