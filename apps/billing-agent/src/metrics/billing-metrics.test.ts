// Metrics of the ledger, as Prometheus reads them. Nothing that a caller names is a label.
import { createLogger } from '@deputy/serve'
import { serveMetrics } from '@deputy/serve/metrics'
import { expect, test } from 'vitest'
import {
  ALICE,
  BOB,
  budgetOf,
  callBelow,
  callBy,
  createBillingWorld,
  refusalOf,
} from '../../test-support/billing-world.ts'
import { BILLING_ADAPTERS } from '../../test-support/databases.ts'
import { quotaInput } from '../../test-support/quota-input.ts'
import { expireHolds } from '../holds/expire-holds.ts'
import { HOLD_TTL_SECONDS } from '../holds/place-hold.ts'
import { measureSweep } from './billing-metrics.ts'
import { observeLevels } from './observe-levels.ts'

const logger = createLogger({ name: 'billing', level: 'silent' })

test.each(BILLING_ADAPTERS)(
  'on $name count operations, refusals, money, what is open and how full it is',
  async (adapter) => {
    await using place = await adapter.open()
    await using served = await serveMetrics({ port: 0 })
    await using world = await createBillingWorld(place.location)
    const { clock, key, service, storage } = world
    using _observed = observeLevels({ storage, clock, logger, isSound: () => true })
    await world.deposit(ALICE, 1000)
    const forgotten = await world.hold(ALICE, 'forgotten')
    clock.advance(HOLD_TTL_SECONDS)
    await measureSweep('holds', async () => expireHolds(storage, clock))
    await service.quotas.set(
      callBy('operator'),
      quotaInput(key(), { scope: { kind: 'agent', agentId: ALICE }, cap: 40 }),
    )
    await service.quotas.set(
      callBy('operator'),
      quotaInput(key(), { scope: { kind: 'agent', agentId: BOB }, cap: 40 }),
    )
    const { holdId } = await world.hold(ALICE)
    const capture = { holdId, amountMinor: 15, idempotencyKey: key() }
    await service.capture(callBy(ALICE), capture)
    await service.capture(callBy(ALICE), capture)
    await world.holdBy(callBelow(['grant-1', 'token-1'], budgetOf('grant-1', '0.20')))
    await refusalOf(world.hold(ALICE))
    await refusalOf(world.hold(BOB))

    const text = await (await fetch(served.url)).text()

    const valueOf = (name: string, labels: string): number => {
      const lines = text.split('\n').filter((line) => line.startsWith(`${name}{${labels}`))
      return Number(lines.map((line) => line.split(' ').at(-1)).join())
    }
    const operations = (operation: string, outcome: string): number =>
      valueOf('billing_operation_duration_count', `operation="${operation}",outcome="${outcome}"`)
    expect(operations('billing.capture', 'ok')).toBe(1)
    expect(operations('billing.capture', 'replayed')).toBe(1)
    expect(operations('billing.hold', 'ok')).toBe(3)
    expect(operations('billing.hold', 'quota_exceeded')).toBe(1)
    expect(operations('billing.hold', 'insufficient_funds')).toBe(1)
    expect(valueOf('billing_postings_total', 'procedure="billing.hold"')).toBe(3)
    expect(valueOf('billing_money_total', 'procedure="billing.capture",currency="USD"')).toBe(15)
    expect(valueOf('billing_money_total', 'procedure="billing.expire",currency="USD"')).toBe(20)
    expect(valueOf('billing_swept_total', 'sweep="holds"')).toBe(1)
    expect(valueOf('billing_sweeps_total', 'sweep="holds",outcome="ok"')).toBe(1)
    expect(valueOf('billing_quota_events_total', 'threshold="80"')).toBe(1)
    expect(valueOf('billing_holds_open', 'currency="USD"')).toBe(1)
    expect(valueOf('billing_holds_held', 'currency="USD"')).toBe(20)
    expect(valueOf('billing_budgets', 'level="reached"')).toBe(1)
    expect(valueOf('billing_quotas', 'level="from_80"')).toBe(1)
    expect(valueOf('billing_quotas', 'level="below_80"')).toBe(1)
    expect(text).toMatch(/^billing_ledger_sound(?:\{[^}]*\})? 1$/m)
    for (const name of [ALICE, BOB, 'grant-1', holdId, forgotten.holdId]) {
      expect(text).not.toContain(name)
    }
  },
)
