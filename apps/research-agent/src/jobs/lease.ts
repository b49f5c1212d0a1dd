// A job belongs to the process that works on it for as long as that says so, again and again. When it falls silent, because
// it was killed, another one may take the job up.
import { startInterval, type Clock } from '@deputy/auth/protocol'
import type { Logger } from '@deputy/serve'
import type { JobStore, Lease } from './job-store.ts'

/** Default of how long a job is kept from others after the last sign of life of who works on it. */
export const LEASE_SECONDS = 10

export type LeaseTerms = {
  readonly clock: Clock
  /** How long a job is kept from others after the last sign of life of who works on it. */
  readonly leaseSeconds: number
}

/** A lease that begins now. */
export function startLease({ clock, leaseSeconds }: LeaseTerms): Lease {
  const now = clock.now()
  return { now, until: now + leaseSeconds }
}

/** Starts to prolong the leases of this process. Disposing stops it. */
export function keepLeases({
  jobs,
  logger,
  ...terms
}: LeaseTerms & {
  readonly jobs: Pick<JobStore, 'renew'>
  readonly logger: Logger
}): AsyncDisposable {
  let round: Promise<unknown> = Promise.resolve()
  const renew = async (): Promise<void> => {
    await jobs.renew(startLease(terms).until).catch((error: unknown) => {
      logger.warn({ err: error }, 'the leases of jobs were not prolonged')
    })
  }
  const timer = startInterval(terms.clock, (terms.leaseSeconds / 4) * 1000, () => {
    round = round.then(renew)
  })
  return {
    async [Symbol.asyncDispose]() {
      timer.cancel()
      await round
    },
  }
}
