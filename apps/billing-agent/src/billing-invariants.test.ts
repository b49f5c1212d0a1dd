// Any sequence of acts, by two agents, refused ones and repeated ones among them, against a model that
// is no more than sums.
import { BILLING_REASONS } from '@deputy/contracts/billing'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  ALICE,
  BOB,
  callBy,
  createBillingWorld,
  receiptFor,
  USD,
} from '../test-support/billing-world.ts'

type World = Awaited<ReturnType<typeof createBillingWorld>>

const ACT = fc.record({
  kind: fc.constantFrom('deposit', 'hold', 'capture', 'release', 'close'),
  agentId: fc.constantFrom(ALICE, BOB),
  amountMinor: fc.integer({ min: 1, max: 60 }),
  at: fc.nat(9),
  advance: fc.integer({ min: 0, max: 1500 }),
  /** Sent again with the same key. */
  isRepeated: fc.boolean(),
})
type Act = typeof ACT extends fc.Arbitrary<infer Value> ? Value : never

/** Refusals are part of the game; any other error fails the test. */
async function answerOf<Answer>(act: () => Promise<Answer>): Promise<Answer | undefined> {
  return act().catch((error: unknown) => {
    const reason: unknown = error instanceof Error ? Reflect.get(error, 'reason') : undefined
    if (BILLING_REASONS.some((known) => known === reason)) return undefined
    throw error
  })
}

function createGame(world: World) {
  const holds: string[] = []
  const open = new Map<string, { agentId: string; amountMinor: number }>()
  /** What each agent owns, held or not. */
  const owned = new Map([
    [ALICE, 0],
    [BOB, 0],
  ])
  const statements: string[] = []
  const captured: string[] = []
  const add = (agentId: string, amountMinor: number) =>
    owned.set(agentId, (owned.get(agentId) ?? 0) + amountMinor)

  async function play({ agentId, amountMinor, at, isRepeated, kind }: Act): Promise<void> {
    const call = callBy(agentId)
    const idempotencyKey = world.key()
    const holdId = holds[at % Math.max(holds.length, 1)] ?? 'none'
    const twice = async <Answer>(act: () => Promise<Answer>) => {
      const answer = await answerOf(act)
      if (isRepeated && answer !== undefined) expect(await act()).toEqual(answer)
      return answer
    }
    if (kind === 'deposit') {
      const amount = { amountMinor, currency: USD }
      const input = { account: agentId, amount, idempotencyKey }
      await twice(async () => world.service.deposit(callBy('operator'), input))
      add(agentId, amountMinor)
    }
    if (kind === 'hold') {
      const { quoteId } = await world.quote(agentId, 1 + at)
      const input = { quoteId, reference: `job-${idempotencyKey}`, idempotencyKey }
      const hold = await twice(async () => world.service.hold(call, input))
      if (hold === undefined) return
      holds.push(hold.holdId)
      open.set(hold.holdId, { agentId, amountMinor: hold.amount.amountMinor })
    }
    if (kind === 'capture') {
      const input = { holdId, amountMinor, idempotencyKey }
      const hold = await twice(async () => world.service.capture(call, input))
      if (hold === undefined) return
      open.delete(holdId)
      add(agentId, -amountMinor)
      captured.push(holdId)
      world.receipts.set(hold.reference, receiptFor(hold))
    }
    if (kind === 'release') {
      const input = { holdId, idempotencyKey }
      const hold = await twice(async () => world.service.release(call, input))
      if (hold !== undefined) open.delete(holdId)
    }
    if (kind === 'close') {
      const input = { account: agentId, currency: USD, idempotencyKey }
      const statement = await twice(async () =>
        world.service.closeStatement(callBy('operator'), input),
      )
      statements.push(...(statement?.lines.map((line) => line.holdId) ?? []))
    }
  }

  return { play, owned, open, statements, captured }
}

test('whatever agents do, the book balances, nobody is overdrawn and every cent is accounted for', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(ACT, { maxLength: 40 }), async (acts) => {
      await using world = await createBillingWorld()
      const game = createGame(world)
      for (const act of acts) {
        world.clock.advance(act.advance)
        await game.play(act)
      }

      const { accounts, totalMinor } = await world.service.trialBalance(callBy('operator'), {
        currency: USD,
      })
      expect(totalMinor).toBe(0)
      expect(await world.verify()).toEqual([])
      expect(
        accounts.filter(
          ({ account, balanceMinor }) => account.startsWith('agent:') && balanceMinor < 0,
        ),
      ).toEqual([])
      for (const [agentId, ownedMinor] of game.owned) {
        const { availableMinor, heldMinor } = await world.balance(agentId)
        const openMinor = [...game.open.values()]
          .filter((hold) => hold.agentId === agentId)
          .reduce((total, hold) => total + hold.amountMinor, 0)
        expect([heldMinor, availableMinor]).toEqual([openMinor, ownedMinor - openMinor])
      }
      expect(new Set(game.statements).size).toBe(game.statements.length)
      expect(game.captured).toEqual(expect.arrayContaining(game.statements))
    }),
    { numRuns: 60 },
  )
})
