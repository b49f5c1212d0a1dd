// Jobs by their state, read when somebody reads the metrics: those that have not come to rest, whoever works on them.
import type { Clock } from '@deputy/auth/protocol'
import type { Logger } from '@deputy/serve'
import { metrics, type ObservableCallback } from '@opentelemetry/api'
import type { JobStore } from '../jobs/job-store.ts'
import { METER_NAME } from './step-metrics.ts'

/** `failed` here: billing may still hold money for it. */
const STATES = ['working', 'interrupted', 'failed'] as const

export type ObserveJobsOptions = {
  readonly jobs: Pick<JobStore, 'countUnsettled'>
  readonly clock: Clock
  readonly logger: Logger
}

/** Lets the provider that is registered now read it. Disposing ends that. */
export function observeJobs({ clock, jobs, logger }: ObserveJobsOptions): Disposable {
  const gauge = metrics.getMeter(METER_NAME).createObservableGauge('research.jobs.unsettled', {
    description: 'Jobs that are under way, interrupted, or failed with money still held for them',
  })
  const observe: ObservableCallback = async (result) => {
    try {
      const counted = await jobs.countUnsettled(clock.now())
      for (const state of STATES) result.observe(counted[state], { state })
    } catch (error) {
      logger.warn({ err: error }, 'jobs cannot be counted for the metrics')
    }
  }
  gauge.addCallback(observe)
  return { [Symbol.dispose]: () => gauge.removeCallback(observe) }
}
