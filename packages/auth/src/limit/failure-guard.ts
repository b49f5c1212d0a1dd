// Slows down who fails to authenticate again and again. It never stands in the way of a credential that
// is good. Attack prevented: locking a client out by guessing in its name, or from its address.
import type { RateLimiter, RateLimitRefusal, RateLimitTier } from './rate-limit.ts'

/** Ten failures at once, then one every six seconds. */
const FAILURES: RateLimitTier = { burst: 10, perMinute: 10 }

/** An address may be shared by many: ten times as much. */
export const FAILURES_OF_ADDRESS: RateLimitTier = { burst: 100, perMinute: 100 }

/** A failed authentication. */
export type Failure = {
  /** Whom it was tried as; `undefined` when nobody was named. */
  readonly clientId: string | undefined
  readonly address: string
}

/** Counts a failure. Answers the refusal once there are too many, otherwise `undefined`. */
export type FailureGuard = (failure: Failure) => Promise<RateLimitRefusal | undefined>

/** Creates the guard of one server. */
export function createFailureGuard(limiter: RateLimiter, place: string): FailureGuard {
  return async ({ address, clientId }) => {
    const network = toNetwork(address)
    const byAddress = await limiter.consume({
      key: `failure:${place}:${network}`,
      tier: 'failures',
      limit: FAILURES_OF_ADDRESS,
    })
    if (!byAddress.ok) return byAddress.refusal
    if (clientId === undefined) return undefined
    const byClient = await limiter.consume({
      key: `failure:${place}:${network}:${clientId.slice(0, 64)}`,
      tier: 'failures',
      limit: FAILURES,
    })
    return byClient.ok ? undefined : byClient.refusal
  }
}

/** One host may have a whole /64 of IPv6 (RFC 4291 §2.5.1): it counts as one address. */
export function toNetwork(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length)
  const groups = [...before, ...Array<string>(zeros).fill('0'), ...after]
  return `${groups.slice(0, 4).join(':')}::/64`
}
