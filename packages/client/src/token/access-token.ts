import type { EpochSeconds } from '@deputy/auth/protocol'
import { fingerprint } from '../fingerprint.ts'

/** How a token is sent (RFC 6749 §7.1, RFC 9449 §7.1). */
export type AccessTokenType = 'Bearer' | 'DPoP'

export type AccessTokenFacts = {
  readonly type: AccessTokenType
  /** What was granted: may be less than what was asked for. */
  readonly scopes: readonly string[]
  /** When the request for it was sent: the token is at least this old. */
  readonly requestedAt: EpochSeconds
  readonly expiresAt: EpochSeconds
  /** For a token that is good for one call: the approval of it. */
  readonly approvalId?: string | undefined
}

/** > access-token = 1*VSCHAR (RFC 6749 §A.12); a space would end it in a header. */
const TOKEN = /^[\x21-\x7e]+$/

/** Whether a text can be a token. */
export function isAccessToken(text: string): boolean {
  return TOKEN.test(text)
}

/** A token as the authorization server gave it. It is private: whatever prints this shows `id`. */
export class AccessToken implements AccessTokenFacts {
  readonly #value: string
  /** The first 8 hexadecimal digits of its SHA-256: names it in logs. */
  readonly id: string
  readonly type: AccessTokenType
  readonly scopes: readonly string[]
  readonly requestedAt: EpochSeconds
  readonly expiresAt: EpochSeconds
  readonly approvalId: string | undefined

  private constructor(value: string, id: string, facts: AccessTokenFacts) {
    this.#value = value
    this.id = id
    this.type = facts.type
    this.scopes = Object.freeze([...facts.scopes])
    this.requestedAt = facts.requestedAt
    this.expiresAt = facts.expiresAt
    this.approvalId = facts.approvalId
    Object.freeze(this)
  }

  /**
   * Wraps a token. Rejects with `TypeError` for a text that cannot be one. Attack prevented: a token that is
   * no header value, which whoever sends it repeats in an error.
   */
  static async create(value: string, facts: AccessTokenFacts): Promise<AccessToken> {
    if (!isAccessToken(value)) throw new TypeError('an access token is visible ASCII characters')
    return new AccessToken(value, (await fingerprint(value)).slice(0, 8), facts)
  }

  /** Writes the token out: only for the request that sends it. */
  reveal(): string {
    return this.#value
  }
}

/**
 * Asks for a new token. `current` is the one that still serves, if any: a source that several processes
 * share gives a newer one. Rejects with `ClientError`.
 */
export type RequestToken = (current?: AccessToken) => Promise<AccessToken>
