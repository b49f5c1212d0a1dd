// Keeps one token for one purpose: gets it on first use, renews it before it ends while the old one
// still serves, and has at most one request under way however many callers wait.
import { systemClock, type Clock, type EpochSeconds } from '@deputy/auth/protocol'
import type { AccessToken, RequestToken } from './access-token.ts'

export type TokenManager = {
  /** A token that is good now. Rejects only when there is none and none can be had. */
  getToken(): Promise<AccessToken>
  /** Drops a token that an agent refused. A newer one that is already here stays. */
  discard(token: AccessToken): void
}

export type TokenManagerOptions = {
  readonly requestToken: RequestToken
  readonly clock?: Clock | undefined
  /** How long before its end a token is renewed. Default 60 seconds, or half its life if that is less. */
  readonly renewBeforeSeconds?: number | undefined
}

/** After a renewal failed in the background, how long the old token serves before the next try. */
const RETRY_AFTER_SECONDS = 5

/** Creates a token manager. A failed request is not remembered: the next caller without a token tries again. */
export function createTokenManager(options: TokenManagerOptions): TokenManager {
  const { requestToken } = options
  const clock = options.clock ?? systemClock
  const renewBeforeSeconds = options.renewBeforeSeconds ?? 60
  let current: AccessToken | undefined
  let request: Promise<AccessToken> | undefined
  let retryAt: EpochSeconds = 0

  async function renew(): Promise<AccessToken> {
    request ??= (async () => {
      try {
        current = await requestToken()
        return current
      } catch (error) {
        retryAt = clock.now() + RETRY_AFTER_SECONDS
        throw error
      } finally {
        request = undefined
      }
    })()
    return request
  }

  function isDue(token: AccessToken, now: EpochSeconds): boolean {
    const lifeSeconds = token.expiresAt - token.requestedAt
    const earlySeconds = Math.min(renewBeforeSeconds, lifeSeconds / 2)
    return now >= token.expiresAt - earlySeconds && now >= retryAt
  }

  return Object.freeze({
    async getToken() {
      const now = clock.now()
      if (current === undefined || now >= current.expiresAt) return renew()
      if (isDue(current, now)) {
        // The old token still serves: whoever called does not wait, and an outage of the
        // authorization server is not their problem until the token ends.
        renew().catch(() => undefined)
      }
      return current
    },

    discard(token: AccessToken) {
      if (current?.value === token.value) current = undefined
    },
  })
}
