import type { OAuthErrorCode } from '@deputy/auth/protocol'

export type OAuthErrorStatus = 400 | 401 | 403 | 405 | 413 | 429 | 503

export type OAuthErrorOptions = {
  readonly code: OAuthErrorCode
  /** For the caller: what was wrong and what to do. Becomes `error_description`. */
  readonly message: string
  /** Default 400 (RFC 6749 §5.2). */
  readonly status?: OAuthErrorStatus | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** What the answer has beside `error` and `error_description`. */
  readonly members?: Readonly<Record<string, string | number>> | undefined
  /** For the audit trail, where it says more than the code may: why exactly. Never sent. */
  readonly reason?: string | undefined
  /** Whether the refusal is on the audit trail. Default: yes. */
  readonly isAudited?: boolean | undefined
}

/** An endpoint turned a request down (RFC 6749 §5.2). Its message is public. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError'
  readonly code: OAuthErrorCode
  readonly status: OAuthErrorStatus
  readonly headers: Readonly<Record<string, string>>
  readonly members: Readonly<Record<string, string | number>>
  readonly reason: string
  readonly isAudited: boolean

  constructor(options: OAuthErrorOptions) {
    super(options.message)
    this.code = options.code
    this.status = options.status ?? 400
    this.headers = options.headers ?? {}
    this.members = options.members ?? {}
    this.isAudited = options.isAudited ?? true
    this.reason = options.reason ?? options.code
  }
}
