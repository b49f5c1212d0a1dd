// Keeps one token for one purpose: gets it on first use, renews it before it ends while the old one
// still serves, and has at most one request under way however many callers wait.
import {
  startTimer,
  systemClock,
  type Clock,
  type EpochSeconds,
  type Timer,
} from '@deputy/auth/protocol'
import { toClientError } from '../error/to-client-error.ts'
import type { AccessToken, RequestToken } from './access-token.ts'

export type TokenSlot = {
  /** A token that is good now. Rejects only when there is none and none can be had. */
  getToken(): Promise<AccessToken>
  /** The same where there is nothing to wait for and nothing to ask for. */
  peek(): AccessToken | undefined
  /**
   * Drops a token that an agent refused; a newer one that is already here stays. Answers whether asking
   * again can help: not where the last one was refused as soon as it came.
   */
  discard(token: AccessToken): boolean
  /** Renews when it is due, whether or not anybody asks, and tells of each new token, until what it answers is called. */
  watch(onToken: (token: AccessToken) => void): () => void
}

export type TokenSlotOptions = {
  readonly requestToken: RequestToken
  readonly clock?: Clock | undefined
  /**
   * How long before its end a token is renewed. Default 60 seconds, or half its life if that is less; but never within 5
   * seconds of being asked for.
   */
  readonly renewBeforeSeconds?: number | undefined
  /** Spreads renewals and retries: from 0 up to 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined
}

/** After a renewal failed in the background: how long the old token serves before the next try, at first and at most. */
const BACK_OFF_SECONDS = { first: 5, most: 60 }

/**
 * A token that was asked for this recently is not renewed ahead of its end. Attack prevented on oneself: the last tokens of
 * a grant, each of which is shorter than the one before and due sooner.
 */
const LEAST_AGE_SECONDS = 5

/** An agent that refuses a token which was asked for this recently will refuse the next one too. */
const FRESH_SECONDS = 10

/**
 * Creates the slot. A failed request is not remembered, so the next caller without a token tries again,
 * unless the server said when (`Retry-After`): until then everybody gets the same error at once.
 */
export function createTokenSlot(options: TokenSlotOptions): TokenSlot {
  const { requestToken } = options
  const clock = options.clock ?? systemClock
  const random = options.random ?? Math.random
  const renewBeforeSeconds = options.renewBeforeSeconds ?? 60
  let current: AccessToken | undefined
  let dueAt: EpochSeconds = 0
  let request: Promise<AccessToken> | undefined
  let failures = 0
  let retryAt: EpochSeconds = 0
  let blocked: { readonly until: EpochSeconds; readonly error: unknown } | undefined
  let discardedAt: EpochSeconds | undefined
  const watchers = new Set<(token: AccessToken) => void>()
  let timer: Timer | undefined

  function schedule(): void {
    timer?.cancel()
    if (watchers.size === 0 || current === undefined) return
    // Nobody says how long it lives: whoever needs the next one asks for it.
    if (current.expiresAt <= current.requestedAt) return
    const at = Math.max(dueAt, retryAt)
    const waitMs = clock.msUntil?.(at) ?? (at - clock.now()) * 1000
    timer = startTimer(clock, waitMs, () => {
      renew().catch(() => undefined)
    }).unref()
  }

  /** Attack prevented on oneself: a thousand agents whose tokens end together, asking in one second. */
  function findDue({ expiresAt, requestedAt }: AccessToken): EpochSeconds {
    const lifeSeconds = expiresAt - requestedAt
    const earlySeconds = Math.min(renewBeforeSeconds, lifeSeconds / 2)
    const spreadSeconds = Math.min(renewBeforeSeconds, lifeSeconds / 4)
    const dueAt = Math.floor(expiresAt - earlySeconds - random() * spreadSeconds)
    return Math.max(requestedAt + LEAST_AGE_SECONDS, dueAt)
  }

  function noteFailure(error: unknown): void {
    const now = clock.now()
    const { retryAfterSeconds } = toClientError(error)
    blocked = retryAfterSeconds ? { until: now + retryAfterSeconds, error } : undefined
    const backOff = Math.min(BACK_OFF_SECONDS.first * 2 ** failures, BACK_OFF_SECONDS.most)
    failures += 1
    retryAt = now + (retryAfterSeconds ?? Math.ceil(backOff * (0.5 + random() / 2)))
  }

  async function renew(): Promise<AccessToken> {
    request ??= (async () => {
      try {
        const token = await requestToken(current)
        current = token
        dueAt = findDue(token)
        failures = 0
        blocked = undefined
        for (const tell of watchers) tell(token)
        return token
      } catch (error) {
        noteFailure(error)
        throw error
      } finally {
        request = undefined
        schedule()
      }
    })()
    return request
  }

  return Object.freeze({
    async getToken() {
      const now = clock.now()
      if (current === undefined || now >= current.expiresAt) {
        if (blocked !== undefined && now < blocked.until) throw blocked.error
        return renew()
      }
      if (now >= dueAt && now >= retryAt) {
        // The old token still serves: whoever called does not wait, and an outage of the
        // authorization server is not their problem until the token ends.
        renew().catch(() => undefined)
      }
      return current
    },

    peek() {
      const now = clock.now()
      if (current === undefined || now >= current.expiresAt) return undefined
      return now >= dueAt && now >= retryAt ? undefined : current
    },

    discard(token: AccessToken) {
      if (current?.id !== token.id) return true
      const now = clock.now()
      const isFresh = discardedAt !== undefined && token.requestedAt >= discardedAt
      if (isFresh && now - token.requestedAt < FRESH_SECONDS) return false
      discardedAt = now
      current = undefined
      return true
    },

    watch(onToken: (token: AccessToken) => void) {
      watchers.add(onToken)
      schedule()
      return () => {
        watchers.delete(onToken)
        if (watchers.size === 0) timer?.cancel()
      }
    },
  })
}
