// Who does not say who it is can be refused as often as it likes, and each entry stays for years. So of what strangers
// are refused the trail has as many entries as a person would read, and how many more there were.
import { createFailureGuard, createMemoryRateLimiter, type RateLimitTier } from '@deputy/auth'
import type { Clock } from '@deputy/auth/protocol'
import type { AuditLog } from './audit-log.ts'

/** Entries about all strangers together. Of one network there is the same as of its failures to authenticate. */
const ALL_STRANGERS: RateLimitTier = { burst: 1000, perMinute: 1000 }

/**
 * Wraps the log that endpoints write to: refusals of callers that proved nothing are bounded, 100 a minute for each
 * network and 1,000 in all; the next entry about a stranger says in `details.omitted` how many were left out. What is
 * refused to a client that is known, and all that is done, is written each time. Attack prevented: a disk that is
 * filled, and a trail that nobody can read, by whoever reaches the port.
 */
export function boundStrangers(audit: AuditLog, { clock }: { readonly clock: Clock }): AuditLog {
  const limiter = createMemoryRateLimiter({ clock })
  const guard = createFailureGuard(limiter, 'trail')
  let omitted = 0

  async function hasRoom(address: string): Promise<boolean> {
    if ((await guard({ clientId: undefined, address })) !== undefined) return false
    const all = { key: 'trail', tier: 'failures', limit: ALL_STRANGERS }
    return (await limiter.consume(all)).ok
  }

  return {
    async record(event) {
      const isStranger = event.outcome === 'refused' && event.credentialId === undefined
      if (!isStranger) return audit.record(event)
      if (!(await hasRoom(event.address ?? ''))) {
        omitted += 1
        return undefined
      }
      const told = omitted
      omitted = 0
      try {
        const more = told === 0 ? {} : { omitted: String(told) }
        return await audit.record({ ...event, details: { ...event.details, ...more } })
      } catch (error) {
        omitted += told
        throw error
      }
    },
  }
}
