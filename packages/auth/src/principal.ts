import type { AuthorizationDetailsClaim, EpochSeconds } from './protocol/index.ts'

/** Who is calling and with what authority: the same shape whichever way the caller came in. */
export type Principal = {
  /** The agent that is calling now: `client_id`, or the outermost `act.sub` of a delegated token. */
  readonly agentId: string
  /** Whose authority is used (`sub`). Equal to `agentId` unless the work was delegated. */
  readonly subject: string
  /** The organisation that the subject belongs to; `undefined` where the issuer does not say. */
  readonly ownerId?: string | undefined
  /** The agent that the credential is meant for (`aud`): this one. */
  readonly audience: string
  /** What the credential allows, each scope once. */
  readonly scopes: readonly string[]
  /** Agents that acted before this one, latest first (RFC 8693 §4.1). Informational: never decide by it. */
  readonly priorActors: readonly string[]
  /** When the authority ends; `undefined` for an API key without expiry. */
  readonly expiresAt: EpochSeconds | undefined
  /** The key that the token is bound to and the caller proved to hold (RFC 9449 §6.1), if any. */
  readonly confirmation?: { readonly jkt: string } | undefined
  /** How many calls it may make: the name of a tier, when the credential names one. */
  readonly rateLimitTier?: string | undefined
  /**
   * What the token stands on, the root first, its own id last; of an API key, the key's id. Who denies
   * one of them denies the caller.
   */
  readonly grantPath: readonly string[]
  /** What the credential is limited to beyond its scopes (RFC 9396): all of it holds at once. */
  readonly limits: AuthorizationDetailsClaim
  /** How the caller proved itself. `id` is the token's `jti` or the key's id: safe to log. */
  readonly credential: { readonly kind: 'access_token' | 'api_key'; readonly id: string }
}
