import { refuse, type OAuthErrorCode } from '@deputy/auth/protocol'

/** Why an exchange was turned down: the code for the caller, the rule for the audit trail. */
export type DelegationRefusal = {
  readonly code: OAuthErrorCode
  /** For the caller: what was wrong and what to do. Names nobody that the caller does not know. */
  readonly message: string
  /** Stable name of the rule. */
  readonly rule: string
}

/** Refuses. Pure. */
export function refuseExchange(
  code: OAuthErrorCode,
  rule: string,
  message: string,
): { readonly ok: false; readonly refusal: DelegationRefusal } {
  return refuse({ code, rule, message })
}
