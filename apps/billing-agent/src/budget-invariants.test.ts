// Any sequence of holds and their ends, by tokens anywhere in a tree of grants, against a model that adds up.
import { BILLING_REASONS } from '@deputy/contracts/billing'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  ALICE,
  budgetOf,
  callBelow,
  callBy,
  createBillingWorld,
  USD,
} from '../test-support/billing-world.ts'

// task (1.20) ─ left (0.60) ─ leaf (0.35)
//             └ right (no budget of its own)
const CAPS = { task: 120, left: 60, leaf: 35 }
const TASK = budgetOf('task', '1.20')
const LEFT = budgetOf('left', '0.60')
const TOKENS = [
  { path: ['task', 't0'], limits: [TASK] },
  { path: ['task', 'left', 't1'], limits: [TASK, LEFT] },
  { path: ['task', 'left', 'leaf', 't2'], limits: [TASK, LEFT, budgetOf('leaf', '0.35')] },
  { path: ['task', 'right', 't3'], limits: [TASK] },
  { path: ['elsewhere'], limits: [] },
]

const ACT = fc.record({
  kind: fc.constantFrom('hold', 'hold', 'capture', 'release', 'releaseGrant'),
  token: fc.constantFrom(...TOKENS),
  grant: fc.constantFrom('task', 'left', 'leaf', 'right', 't2'),
  units: fc.integer({ min: 1, max: 6 }),
  amountMinor: fc.integer({ min: 1, max: 40 }),
  at: fc.nat(20),
  advance: fc.constantFrom(0, 0, 1, 600, 2000),
})

type Counted = {
  readonly path: readonly string[]
  readonly amountMinor: number
  readonly expiresAt: number
  state: 'held' | 'captured' | 'released'
  capturedMinor: number
}

/** Refusals are part of the game; any other error fails the test. */
async function answerOf<Answer>(act: Promise<Answer>): Promise<Answer | undefined> {
  return act.catch((error: unknown) => {
    const reason: unknown = error instanceof Error ? Reflect.get(error, 'reason') : undefined
    if (BILLING_REASONS.some((known) => known === reason)) return undefined
    throw error
  })
}

test('no sequence of acts uses more of any budget than its cap, and every use is accounted for', async () => {
  const decisions: { readonly fits: boolean; readonly isPlaced: boolean }[] = []
  await fc.assert(
    fc.asyncProperty(fc.array(ACT, { maxLength: 40 }), async (acts) => {
      await using world = await createBillingWorld()
      await world.deposit(ALICE, 100_000)
      const holds = new Map<string, Counted>()
      const below = (grant: string) =>
        [...holds.values()].filter(({ path }) => path.includes(grant))
      const isHeld = ({ expiresAt, state }: Counted) =>
        state === 'held' && expiresAt > world.clock.now()
      const usedOf = (grant: string) =>
        below(grant).reduce(
          (total, hold) => total + (isHeld(hold) ? hold.amountMinor : hold.capturedMinor),
          0,
        )
      for (const { advance, amountMinor, at, grant, kind, token, units } of acts) {
        world.clock.advance(advance)
        const call = callBelow(token.path, ...token.limits)
        const idempotencyKey = world.key()
        const [holdId, counted] = [...holds][at % Math.max(holds.size, 1)] ?? ['none', undefined]
        if (kind === 'hold') {
          const before = token.path.map((id) => [id, usedOf(id)] as const)
          const hold = await answerOf(world.holdBy(call, units))
          const asked = 10 + 5 * units
          const fits = before.every(
            ([id, used]) => !(id in CAPS) || used + asked <= Reflect.get(CAPS, id),
          )
          decisions.push({ fits, isPlaced: hold !== undefined })
          if (hold === undefined) continue
          holds.set(hold.holdId, {
            path: token.path,
            amountMinor: hold.amount.amountMinor,
            expiresAt: hold.expiresAt,
            state: 'held',
            capturedMinor: 0,
          })
        } else if (kind === 'releaseGrant') {
          await world.service.releaseGrant(callBy('operator'), { grantId: grant, idempotencyKey })
          for (const hold of below(grant)) if (hold.state === 'held') hold.state = 'released'
        } else if (kind === 'capture') {
          const act = world.service.capture(call, { holdId, amountMinor, idempotencyKey })
          if ((await answerOf(act)) !== undefined && counted !== undefined) {
            Object.assign(counted, { state: 'captured', capturedMinor: amountMinor })
          }
        } else {
          const act = world.service.release(call, { holdId, idempotencyKey })
          if ((await answerOf(act)) !== undefined && counted !== undefined) {
            counted.state = 'released'
          }
        }
        for (const [identifier, capMinor] of Object.entries(CAPS)) {
          const use = await world.storage.transaction(async ({ budgets }) =>
            budgets.find({ identifier, currency: USD, ownerId: 'system' }),
          )
          expect((use?.heldMinor ?? 0) + (use?.capturedMinor ?? 0)).toBeLessThanOrEqual(capMinor)
          expect(usedOf(identifier)).toBeLessThanOrEqual(capMinor)
        }
      }
      for (const identifier of ['task', 'left', 'leaf', 'right']) {
        const input = { identifier, currency: USD }
        const report = await world.service.budget(callBelow([identifier]), input)
        expect(report.heldMinor + report.capturedMinor).toBe(usedOf(identifier))
      }
      expect(await world.verify()).toEqual([])
    }),
    { numRuns: 60 },
  )
  expect(decisions.filter(({ fits, isPlaced }) => fits !== isPlaced)).toEqual([])
  expect(new Set(decisions.map(({ fits }) => fits)).size).toBe(2)
})
