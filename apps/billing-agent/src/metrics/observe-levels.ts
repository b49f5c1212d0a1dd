// What is open in the ledger, read when somebody reads the metrics.
import type { Clock } from '@deputy/auth/protocol'
import type { Logger } from '@deputy/serve'
import { metrics, type BatchObservableCallback } from '@opentelemetry/api'
import type { BillingStorage } from '../storage/open-storage.ts'
import { METER_NAME } from './billing-metrics.ts'
import { LEVELS } from './level-store.ts'

export type ObserveOptions = {
  readonly storage: Pick<BillingStorage, 'read'>
  readonly clock: Clock
  readonly logger: Logger
  /** Whether the last check found the ledger sound. */
  readonly isSound: () => boolean
}

/** Lets the provider that is registered now read it. Disposing ends that. */
export function observeLevels({ clock, isSound, logger, storage }: ObserveOptions): Disposable {
  const meter = metrics.getMeter(METER_NAME)
  const openHolds = meter.createObservableGauge('billing.holds.open', {
    description: 'Holds that stand',
  })
  const held = meter.createObservableGauge('billing.holds.held', {
    description: 'Minor units that they hold',
  })
  const budgets = meter.createObservableGauge('billing.budgets', {
    description: 'Budgets that anything is held of, by how much is used',
  })
  const quotas = meter.createObservableGauge('billing.quotas', {
    description: 'Quotas that are set, by how much is used in this period',
  })
  const sound = meter.createObservableGauge('billing.ledger.sound', {
    description: '1 while the checks of the ledger find no fault',
  })
  const observables = [openHolds, held, budgets, quotas, sound]
  const observe: BatchObservableCallback = async (result) => {
    result.observe(sound, isSound() ? 1 : 0)
    try {
      const levels = await storage.read(async (stores) => stores.levels.read(clock.now()))
      for (const { currency, heldMinor, holds } of levels.openHolds) {
        result.observe(openHolds, holds, { currency })
        result.observe(held, heldMinor, { currency })
      }
      for (const level of LEVELS) {
        result.observe(budgets, levels.budgets[level], { level })
        result.observe(quotas, levels.quotas[level], { level })
      }
    } catch (error) {
      logger.warn({ err: error }, 'the levels of the ledger cannot be read')
    }
  }
  meter.addBatchObservableCallback(observe, observables)
  return {
    [Symbol.dispose]: () => meter.removeBatchObservableCallback(observe, observables),
  }
}
