// What a database could not hold is refused before it gets there, and not as an error of the server's.
import { expect, test } from 'vitest'
import {
  HoldInput,
  PublishPricesInput,
  RefundInput,
  RevertActorInput,
  UsageReportInput,
} from '@deputy/contracts/billing'

const idempotencyKey = 'inputs-of-a-test'
const BEYOND = 253_402_300_800

test.each([
  ['an id with NUL', HoldInput, { quoteId: 'q', reference: 'a\0b', idempotencyKey }],
  [
    'a reason with NUL',
    RefundInput,
    { holdId: 'h', amountMinor: 1, reason: 'a\0b', idempotencyKey },
  ],
  ['a report since the year 10000', UsageReportInput, { since: BEYOND }],
  [
    'a reversal since then',
    RevertActorInput,
    { agentId: 'agent-a-v1', since: BEYOND, idempotencyKey },
  ],
  [
    'prices from then on',
    PublishPricesInput,
    {
      version: 'late',
      effectiveAt: BEYOND,
      prices: [{ service: 'a.b', baseMinor: 1, unitPriceMinor: 1, currency: 'USD' }],
      idempotencyKey,
    },
  ],
])('%s is refused', (_what, schema, input) => {
  expect(schema.safeParse(input).error?.issues).toHaveLength(1)
})
