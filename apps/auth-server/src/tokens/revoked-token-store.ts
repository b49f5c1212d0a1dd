import type { EpochSeconds } from '@deputy/auth/protocol'

/** An access token that was ended before its time. */
export type RevokedToken = {
  readonly jti: string
  readonly clientId: string
  readonly revokedAt: EpochSeconds
  /** When it would have ended anyway, and need not be remembered any more. */
  readonly expiresAt: EpochSeconds
}

/** Where revoked tokens are remembered. What a method answers is on disk. */
export type RevokedTokenStore = {
  /** Answers `false`, changing nothing, for a token that was revoked before. */
  insert(token: RevokedToken): Promise<boolean>
  /** A token is named by its client and its id, so that nobody ends another's by its id alone. */
  has(clientId: string, jti: string): Promise<boolean>
  /** Forgets what has expired, and answers how many. */
  prune(now: EpochSeconds): Promise<number>
}
