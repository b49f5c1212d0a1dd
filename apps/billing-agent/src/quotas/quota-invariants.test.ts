// Any sequence of holds and their ends, under quotas of an agent, a grant and the tenant, over days and months, against
// a model that adds up.
import { BILLING_REASONS, type QuotaPeriod } from '@deputy/contracts/billing'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ALICE, callBelow, createBillingWorld } from '../../test-support/billing-world.ts'
import { AUDITOR, quotaInput } from '../../test-support/quota-input.ts'
import { periodOf } from '../periods/period.ts'

const QUOTAS = [
  { scope: { kind: 'tenant' }, cap: 150, period: 'month' },
  { scope: { kind: 'agent', agentId: ALICE }, cap: 90, period: 'day' },
  { scope: { kind: 'grant', grantId: 'task' }, cap: 60, period: 'total' },
] as const

const PATHS = [
  ['key', 'token'],
  ['key', 'task', 'token'],
  ['key', 'task', 'sub', 'token'],
]

const ACT = fc.record({
  kind: fc.constantFrom('hold', 'hold', 'hold', 'capture', 'release'),
  path: fc.constantFrom(...PATHS),
  units: fc.integer({ min: 1, max: 6 }),
  amountMinor: fc.integer({ min: 1, max: 40 }),
  at: fc.nat(20),
  advance: fc.constantFrom(0, 0, 0, 60, 3600, 86_400, 20 * 86_400),
})

type Counted = {
  readonly path: readonly string[]
  readonly amountMinor: number
  readonly placedAt: number
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

test('no sequence of acts spends more of any quota than its cap, and a hold that fits is never refused', async () => {
  const decisions: { readonly fits: boolean; readonly isPlaced: boolean }[] = []
  await fc.assert(
    fc.asyncProperty(fc.array(ACT, { maxLength: 40 }), async (acts) => {
      await using world = await createBillingWorld()
      await world.deposit(ALICE, 100_000)
      const ids = new Map<(typeof QUOTAS)[number], string>()
      for (const quota of QUOTAS) {
        const { quotaId } = await world.service.quotas.set(AUDITOR, quotaInput(world.key(), quota))
        ids.set(quota, quotaId)
      }
      const holds = new Map<string, Counted>()
      const startOf = (period: QuotaPeriod, at: number) => periodOf(period, at).startsAt
      const spentOf = ({ period, scope }: (typeof QUOTAS)[number]) =>
        [...holds.values()]
          .filter(({ path }) => scope.kind !== 'grant' || path.includes(scope.grantId))
          .filter(
            ({ placedAt }) => startOf(period, placedAt) === startOf(period, world.clock.now()),
          )
          .reduce((total, hold) => {
            const isHeld = hold.state === 'held' && hold.expiresAt > world.clock.now()
            return total + (isHeld ? hold.amountMinor : hold.capturedMinor)
          }, 0)
      for (const { advance, amountMinor, at, kind, path, units } of acts) {
        world.clock.advance(advance)
        const call = callBelow(path)
        const [holdId, counted] = [...holds][at % Math.max(holds.size, 1)] ?? ['none', undefined]
        if (kind === 'hold') {
          const asked = 10 + 5 * units
          const fits = QUOTAS.every(
            (quota) =>
              (quota.scope.kind === 'grant' && !path.includes(quota.scope.grantId)) ||
              spentOf(quota) + asked <= quota.cap,
          )
          const hold = await answerOf(world.holdBy(call, units))
          decisions.push({ fits, isPlaced: hold !== undefined })
          if (hold === undefined) continue
          holds.set(hold.holdId, {
            path,
            amountMinor: hold.amount.amountMinor,
            placedAt: world.clock.now(),
            expiresAt: hold.expiresAt,
            state: 'held',
            capturedMinor: 0,
          })
        } else {
          const input = { holdId, amountMinor, idempotencyKey: world.key() }
          const ended = await answerOf(world.service[kind](call, input))
          if (ended !== undefined && counted !== undefined) {
            counted.state = ended.state
            counted.capturedMinor = ended.capturedMinor
          }
        }
        for (const [quota, quotaId] of ids) {
          const { current } = await world.service.quotas.get(AUDITOR, { quotaId })
          expect(current.held + current.used).toBe(spentOf(quota))
          expect(spentOf(quota)).toBeLessThanOrEqual(quota.cap)
        }
      }
      expect(await world.verify()).toEqual([])
    }),
    { numRuns: 40 },
  )
  expect(decisions.filter(({ fits, isPlaced }) => fits !== isPlaced)).toEqual([])
  expect(new Set(decisions.map(({ fits }) => fits)).size).toBe(2)
})
