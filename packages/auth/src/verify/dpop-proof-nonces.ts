// Server-provided nonces (RFC 9449 §§8, 9) without state: a nonce is the HMAC of the window of time in
// which it was issued, so every instance that has the secret issues and knows the same ones.
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../protocol/index.ts'

/** Decides whether a nonce is one of the server's, and recent. */
export type NonceCheck = { check(nonce: string): boolean }

/** Issues nonces and knows them again. */
export type DpopNonces = NonceCheck & {
  /** The nonce to use now: the value of a `DPoP-Nonce` header. */
  issue(): string
}

export type DpopNoncesOptions = {
  readonly clock: Clock
  /** At least 32 random bytes, the same for all instances. */
  readonly secret: Uint8Array
  /** A nonce is good in the window in which it was issued and in the next one. Default 300. */
  readonly windowSeconds?: number | undefined
}

const WINDOW_SECONDS = 300
const MIN_SECRET_BYTES = 32

/** Creates the nonces. Throws `TypeError` for a secret that is short enough to guess. */
export function createDpopNonces(options: DpopNoncesOptions): DpopNonces {
  const { clock } = options
  const windowSeconds = options.windowSeconds ?? WINDOW_SECONDS
  const secret = Uint8Array.from(options.secret)
  if (secret.length < MIN_SECRET_BYTES) {
    throw new TypeError(`secret must have at least ${String(MIN_SECRET_BYTES)} bytes`)
  }
  if (!Number.isInteger(windowSeconds) || windowSeconds < 1) {
    throw new TypeError('windowSeconds must be a whole number of seconds, 1 or more')
  }

  const currentWindow = (): number => Math.floor(clock.now() / windowSeconds)
  const toNonce = (window: number): string =>
    createHmac('sha256', secret)
      .update(`dpop-nonce ${String(window)}`)
      .digest('base64url')

  let latest = { window: -1, nonce: '' }

  return Object.freeze({
    issue() {
      const window = currentWindow()
      if (latest.window !== window) latest = { window, nonce: toNonce(window) }
      return latest.nonce
    },

    check(nonce: string) {
      const window = currentWindow()
      return isSameText(nonce, toNonce(window)) || isSameText(nonce, toNonce(window - 1))
    },
  })
}

function isSameText(a: string, b: string): boolean {
  const [first, second] = [Buffer.from(a), Buffer.from(b)]
  return first.length === second.length && timingSafeEqual(first, second)
}
