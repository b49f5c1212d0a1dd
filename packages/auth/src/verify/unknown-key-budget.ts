// How much may be asked about keys that nobody knows. Attack prevented: keys of the right form, made up by the
// thousand, each of which would be a question to the authorization server.
import { createGrowingCache } from '../growing-cache.ts'
import { FAILURES_OF_ADDRESS, toNetwork } from '../limit/failure-guard.ts'
import { takeToken, type Bucket } from '../limit/token-bucket.ts'
import { accept, refuse, type Clock, type Result } from '../protocol/index.ts'
import type { CredentialRefusal, TooManyRefusal } from '../refusal.ts'

export type UnknownKeyBudget = {
  /**
   * Waits for a place among those who ask. Refuses with `rate_limited` an address that asked about too many keys that
   * do not exist: a hundred at once, then a hundred a minute; and with `verifier_unavailable` when too many wait.
   *
   * @param from the caller's network address
   */
  enter(from: string): Promise<Result<Entry, BudgetRefusal>>
}

export type BudgetRefusal =
  | TooManyRefusal
  | Extract<CredentialRefusal, { readonly reason: 'verifier_unavailable' }>

/** Leave to ask, once. */
export type Entry = {
  /** Called when the answer is there. @param isBad the key does not exist: only then was anything used up */
  leave(isBad: boolean): void
}

/** Questions about unknown keys that are under way at once, and that wait for their turn. */
const MAX_ASKING = 64
const MAX_WAITING = 1024

/** Addresses that are remembered, at most. */
const MAX_NETWORKS = 10_000

/** Creates the budget of one agent. */
export function createUnknownKeyBudget(clock: Clock): UnknownKeyBudget {
  const buckets = createGrowingCache<Bucket>({ max: MAX_NETWORKS })
  const waiting: (() => void)[] = []
  let asking = 0

  function giveBack(network: string): void {
    const bucket = buckets.get(network)
    if (bucket === undefined) return
    const tokens = Math.min(FAILURES_OF_ADDRESS.burst, bucket.tokens + 1)
    buckets.set(network, { ...bucket, tokens })
  }

  return {
    async enter(from) {
      const network = toNetwork(from)
      const request = { key: network, tier: 'failures', limit: FAILURES_OF_ADDRESS }
      const { bucket, decision } = takeToken(buckets.get(network), request, clock.now())
      buckets.set(network, bucket)
      if (!decision.ok) {
        const { retryAfterSeconds } = decision.refusal
        return refuse({ reason: 'rate_limited', retryAfterSeconds })
      }
      if (asking >= MAX_ASKING) {
        if (waiting.length >= MAX_WAITING) {
          giveBack(network)
          const detail = 'too many unknown API keys are being asked about'
          return refuse({ reason: 'verifier_unavailable', detail })
        }
        // Whoever leaves hands its place on.
        await new Promise<void>((resolve) => waiting.push(resolve))
      } else asking += 1
      return accept({
        leave(isBad) {
          if (!isBad) giveBack(network)
          const next = waiting.shift()
          if (next === undefined) asking -= 1
          else next()
        },
      })
    },
  }
}
