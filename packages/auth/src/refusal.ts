// Every reason for which a caller is turned away before a procedure runs, as data. How each one is
// told to the caller is decided in one place: `toPublicRefusal`.
import type { EpochSeconds, TimeoutMalformed } from './protocol/index.ts'
import type { LimitRefusal } from './token-limit/limit-refusal.ts'
import type { DpopRefusal } from './verify/dpop-proof-refusal.ts'

/** The credential itself was missing, unreadable or not good. */
export type CredentialRefusal =
  | { readonly reason: 'credentials_missing' }
  | { readonly reason: 'credentials_malformed'; readonly detail: string }
  | { readonly reason: 'credentials_ambiguous' }
  | { readonly reason: 'token_malformed'; readonly detail: string }
  | { readonly reason: 'token_signature_invalid'; readonly detail: string }
  | { readonly reason: 'token_type_invalid'; readonly detail: string }
  | { readonly reason: 'token_issuer_invalid'; readonly detail: string }
  | { readonly reason: 'token_audience_invalid'; readonly expected: string }
  | { readonly reason: 'token_expired'; readonly expiredAt: EpochSeconds | undefined }
  | { readonly reason: 'token_not_yet_valid'; readonly detail: string }
  | { readonly reason: 'token_revoked' }
  | { readonly reason: 'token_binding_missing' }
  | { readonly reason: 'token_binding_required' }
  | { readonly reason: 'token_binding_not_accepted' }
  | { readonly reason: 'dpop_proof_invalid'; readonly refusal: DpopRefusal }
  | { readonly reason: 'dpop_nonce_required'; readonly nonce: string }
  | { readonly reason: 'api_key_malformed' }
  | { readonly reason: 'api_key_invalid' }
  | { readonly reason: 'api_key_not_accepted' }
  | { readonly reason: 'verifier_unavailable'; readonly detail: string }

/** The credential is good but may not do this. */
export type ScopeRefusal = {
  readonly reason: 'scope_missing'
  readonly requiredScopes: readonly string[]
  readonly grantedScopes: readonly string[]
  readonly missingScopes: readonly string[]
}

/** The credential is good, but an agent that the call goes through lacks a scope at another one. */
export type FurtherScopeRefusal = {
  readonly reason: 'scope_missing_further_on'
  /** Who lacks it. */
  readonly agentId: string
  /** Where. `undefined` where that is not known. */
  readonly calledAgentId?: string | undefined
  readonly missingScopes: readonly string[]
}

/** The credential is good and may do this, but not so often. */
export type TooManyRefusal = {
  readonly reason: 'rate_limited'
  readonly retryAfterSeconds: number
}

/** The credential is good and may do this, but as many of its agent's calls are under way as may be. */
export type TooManyCallsRefusal = {
  readonly reason: 'too_many_calls'
  readonly maxCalls: number
  readonly retryAfterSeconds: number
}

/** The credential is good and may do this, but the agent holds no more streams, or none any more. */
export type StreamRefusal =
  | { readonly reason: 'too_many_streams'; readonly maxStreams: number }
  | { readonly reason: 'agent_draining' }

/** The call is good, but nobody waits for it any more, or the time that its caller waits cannot be read. */
export type DeadlineRefusal =
  | { readonly reason: 'deadline_exceeded'; readonly timeoutMs: number }
  | TimeoutMalformed

/** A connection's new credential is good, but of another caller than the connection's. */
export type CallerChangedRefusal = {
  readonly reason: 'caller_changed'
  /** The claim, or `kind`: a token where a key was, or the other way round. */
  readonly changed: 'sub' | 'client_id' | 'aud' | 'cnf' | 'kind'
}

/** Everything that can stop a call before its procedure runs. */
export type Refusal =
  | CredentialRefusal
  | ScopeRefusal
  | FurtherScopeRefusal
  | TooManyRefusal
  | TooManyCallsRefusal
  | StreamRefusal
  | DeadlineRefusal
  | CallerChangedRefusal
  | LimitRefusal

/** The stable names of the reasons, as callers see them in `data.reason`. */
export type RefusalReason = Refusal['reason']
