import { expect, test } from 'vitest'
import * as z from 'zod'
import {
  ALICE,
  BOB,
  callBy,
  callOnBehalf,
  createBillingWorld,
  refusalOf,
  USD,
} from '../../test-support/billing-world.ts'
import { createRunOnce } from './run-once.ts'

const KEY = 'the-one-key'
const QUOTE = { service: 'research.brief', units: 2, idempotencyKey: KEY } as const
const CONFLICT = { reason: 'idempotency_conflict', code: 'CONFLICT' }

test('a key that an agent used for one principal gives nothing away about it to another', async () => {
  // Attack: an agent that works for alice and for bob repeats alice's call with bob's token, and bob
  // gets the id of alice's quote.
  await using world = await createBillingWorld()
  await world.service.quote(callOnBehalf('agent-broker-v1', ALICE), QUOTE)

  const refused = await refusalOf(world.service.quote(callOnBehalf('agent-broker-v1', BOB), QUOTE))

  expect(refused).toEqual(CONFLICT)
})

test('a key is the same to a new token of the same agent', async () => {
  await using world = await createBillingWorld()

  const first = await world.service.quote(callBy(ALICE, 'token-1'), QUOTE)
  const again = await world.service.quote(callBy(ALICE, 'token-2'), QUOTE)

  expect(again).toEqual(first)
})

test('the first answer is given again when what it speaks of has changed since', async () => {
  await using world = await createBillingWorld()
  await world.deposit(ALICE, 100)
  const { quoteId } = await world.quote(ALICE)
  const input = { quoteId, reference: 'job-1', idempotencyKey: KEY }
  const held = await world.service.hold(callBy(ALICE), input)
  const { holdId } = held
  await world.service.release(callBy(ALICE), { holdId, idempotencyKey: world.key() })
  world.clock.advance(100_000)

  const again = await world.service.hold(callBy(ALICE), input)

  expect(again).toEqual(held)
  expect(await world.balance(ALICE)).toMatchObject({ availableMinor: 100, heldMinor: 0 })
})

test('a key is for one procedure, also where another one takes the same body', async () => {
  await using world = await createBillingWorld()
  const runOnce = createRunOnce(world.storage, world.clock)
  const run = async (procedure: string) =>
    runOnce(
      {
        principal: callBy(ALICE).principal,
        procedure,
        input: { idempotencyKey: KEY },
        output: z.string(),
      },
      async () => Promise.resolve(procedure),
    )
  await run('billing.one')

  expect(await run('billing.one')).toBe('billing.one')
  expect(await refusalOf(run('billing.other'))).toEqual(CONFLICT)
})

test.each(['hold', 'capture', 'release'] as const)(
  'of many calls of %s with one key, one moves the money',
  async (procedure) => {
    await using world = await createBillingWorld()
    await world.deposit(ALICE, 100)
    const { quoteId } = await world.quote(ALICE)
    const { holdId } = await world.hold(ALICE)
    const call = callBy(ALICE)
    const acts = {
      hold: async () =>
        world.service.hold(call, { quoteId, reference: 'job', idempotencyKey: KEY }),
      capture: async () =>
        world.service.capture(call, { holdId, amountMinor: 15, idempotencyKey: KEY }),
      release: async () => world.service.release(call, { holdId, idempotencyKey: KEY }),
    }
    const after = { hold: [60, 40], capture: [85, 0], release: [100, 0] }

    const answers = await Promise.all(Array.from({ length: 20 }, acts[procedure]))

    const { availableMinor, heldMinor } = await world.balance(ALICE)
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect([availableMinor, heldMinor]).toEqual(after[procedure])
  },
)

test('of many calls with one key and two bodies, those with the other body are refused', async () => {
  await using world = await createBillingWorld()
  const deposit = async (amountMinor: number) =>
    world.service.deposit(callBy('operator'), {
      account: ALICE,
      amount: { amountMinor, currency: USD },
      idempotencyKey: KEY,
    })

  const results = await Promise.allSettled(
    Array.from({ length: 20 }, async (_, at) => deposit(at % 2 === 0 ? 100 : 999)),
  )

  const refused = results.filter(({ status }) => status === 'rejected')
  expect(refused).toHaveLength(10)
  expect(await world.balance(ALICE)).toMatchObject({ availableMinor: 100 })
})
