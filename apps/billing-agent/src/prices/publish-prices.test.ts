// A price that was published can be quoted, for as much work as may be asked for.
import { PublishPricesInput } from '@deputy/contracts/billing'
import { expect, test } from 'vitest'
import {
  ALICE,
  callBy,
  createBillingWorld,
  refusalOf,
  USD,
} from '../../test-support/billing-world.ts'
import { AUDITOR } from '../../test-support/quota-input.ts'

const MOST = 1_000_000_000_000
const UNITS = 1000

const priced = (
  baseMinor: number,
  unitPriceMinor: number,
  idempotencyKey = 'prices-by-the-test',
) => ({
  version: 'dear',
  prices: [{ service: 'research.brief', baseMinor, unitPriceMinor, currency: USD }],
  idempotencyKey,
})

test.each([
  [MOST, 1],
  [MOST - 999, 1],
  [1, 1_000_000_000],
])('a book with %d and %d a unit is refused: nobody could be quoted all of it', (base, unit) => {
  // The quote would be larger than an amount may be, and each call would end in an error of the server's.
  const parsed = PublishPricesInput.safeParse(priced(base, unit))

  expect(parsed.error?.issues).toMatchObject([
    { message: expect.stringMatching(/1000 units/) as string },
  ])
})

test('the dearest book that there may be is quoted to the last unit', async () => {
  await using world = await createBillingWorld()
  const input = PublishPricesInput.parse(priced(MOST - UNITS * 1_000_000, 1_000_000, world.key()))
  await world.service.publishPrices(AUDITOR, input)

  const quote = await world.service.quote(callBy(ALICE), {
    service: 'research.brief',
    units: UNITS,
    idempotencyKey: world.key(),
  })

  expect(quote.amount.amountMinor).toBe(MOST)
})

test('what costs nothing is said to be free, and not quoted', async () => {
  // A meter may be free; a quote over nothing would end in an error of the server's.
  await using world = await createBillingWorld()
  await world.service.publishPrices(AUDITOR, PublishPricesInput.parse(priced(0, 0, world.key())))

  expect((await refusalOf(world.quote(ALICE))).reason).toBe('service_free')
})
