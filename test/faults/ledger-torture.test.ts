// Billing is killed (SIGKILL) while 100 agents hold, capture, release, refund, deposit, meter and close statements at
// once, and send again whatever was not answered. The book balances to the cent, and has every acknowledged act once.
import { describe, expect, test } from 'vitest'
import { BILLING_ADAPTERS } from '../../apps/billing-agent/test-support/databases.ts'
import { runTorture } from '../../apps/billing-agent/test-support/torture/run-torture.ts'

const TIMEOUT_MS = 180_000
const KILLS = 4

describe('killed again and again under a hundred agents, the ledger loses nothing and makes up nothing', () => {
  test.each(BILLING_ADAPTERS)('on $name', { timeout: TIMEOUT_MS }, async (adapter) => {
    await using place = await adapter.open()

    const outcome = await runTorture({
      location: place.location,
      agents: 100,
      answersPerKill: 300,
      isOver: (_record, kills) => kills >= KILLS,
      seed: 7,
    })

    expect(outcome.faults).toEqual([])
    expect(outcome.kills).toBe(KILLS)
    expect(outcome.retried).toBeGreaterThan(KILLS)
    // What is at stake was there: agents got in each other's way, and came to the end of what they may spend.
    expect(Object.keys(outcome.refusals)).toEqual(
      expect.arrayContaining(['hold_captured', 'hold_released']),
    )
  })
})
