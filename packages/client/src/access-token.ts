import type { EpochSeconds } from '@deputy/auth/protocol'

/** A token as the authorization server gave it. `value` is secret. */
export type AccessToken = {
  readonly value: string
  /** What was granted: may be less than what was asked for. */
  readonly scopes: readonly string[]
  /** When the request for it was sent: the token is at least this old. */
  readonly requestedAt: EpochSeconds
  readonly expiresAt: EpochSeconds
}

/** Asks an authorization server for a new token. Rejects with `ClientError`. */
export type RequestToken = () => Promise<AccessToken>
