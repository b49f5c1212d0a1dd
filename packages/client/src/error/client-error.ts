// One class for whatever goes wrong for a caller. It is a `TRPCClientError`, so that tRPC hands it on as
// it is: calls reject with it, and everything that is made for tRPC's errors takes it.
import { TRPCClientError } from '@trpc/client'
import type { PlainRouter } from '../transport.ts'
import { redactSecrets } from './redact-secrets.ts'

/** What the caller's side itself can run into. Reasons that come from an agent are beside these. */
export type ClientErrorCode =
  | 'network_error'
  | 'deadline_exceeded'
  | 'call_aborted'
  | 'input_invalid'
  | 'token_refused'
  | 'token_unavailable'
  | 'token_response_invalid'
  | 'approval_pending'
  | 'approval_denied'
  | 'approval_expired'
  | 'discovery_failed'
  | 'issuer_not_trusted'
  | 'host_not_allowed'
  | 'authority_not_delegable'
  | 'credentials_invalid'
  | 'credentials_file_invalid'
  | 'environment_invalid'

/** A call as an approval names it: its procedure, and the hash of its input (`hashInput`). */
export type CallToApprove = { readonly procedure: string; readonly inputSha256: string }

/** Who lacks a scope, and where. */
export type FurtherOn = { readonly agentId: string; readonly calledAgentId: string | undefined }

/** What an error says beside its code and message. */
export type ClientErrorFacts = {
  /** What would help. Empty when nothing is known. */
  readonly hint: string
  /** HTTP status, where an answer came. */
  readonly status: number | undefined
  /** The agent that was called, or that a token was asked for, where its id is known. */
  readonly agentId: string | undefined
  /**
   * For `scope_missing`: what the procedure needs; for `scope_missing_further_on`: what is missing; for a refused token:
   * what was asked for. Otherwise empty.
   */
  readonly requiredScopes: readonly string[]
  /** For `scope_missing`: what the token holds. Otherwise empty. */
  readonly grantedScopes: readonly string[]
  /** For `scope_missing_further_on`: the agent that lacks the scopes, and the one that it called, where that is known. */
  readonly furtherOn: FurtherOn | undefined
  /** For `approval_required`: what somebody would have to approve. */
  readonly approval: CallToApprove | undefined
  /** For `approval_pending` and `approval_denied`: which approval it is. */
  readonly approvalId: string | undefined
  /** For `approval_pending`: how long to wait before asking again. */
  readonly intervalSeconds: number | undefined
  /** For `approval_pending`: how long somebody has to decide. */
  readonly expiresInSeconds: number | undefined
  /** How long to wait before the same call can be answered otherwise, where the server said so. */
  readonly retryAfterSeconds: number | undefined
  /** For `token_refused`: the `error` of the token endpoint (RFC 6749 §5.2). */
  readonly oauthError: string | undefined
  /**
   * For `deadline_exceeded`, `call_aborted`, refusals of a mutation that was under way, and whatever comes of one that was
   * lost on the way: whether it may have been carried out. `false` where it certainly was not. Otherwise `undefined`.
   */
  readonly mayBeDone: boolean | undefined
  /** Names the call in the agent's log. */
  readonly correlationId: string | undefined
}

export type ClientErrorOptions = {
  readonly [Fact in keyof ClientErrorFacts]?: ClientErrorFacts[Fact] | undefined
} & {
  /** One of `ClientErrorCode`, or the `reason` that an agent gave. */
  readonly code: string
  readonly message: string
  readonly cause?: unknown
}

/** Everything that can go wrong for a caller, in one shape. Never holds a token or a secret. */
export class ClientError extends TRPCClientError<PlainRouter> implements ClientErrorFacts {
  override readonly name: string = 'ClientError'
  readonly code: string
  readonly hint: string
  readonly status: number | undefined
  readonly agentId: string | undefined
  readonly requiredScopes: readonly string[]
  readonly grantedScopes: readonly string[]
  readonly furtherOn: FurtherOn | undefined
  readonly approval: CallToApprove | undefined
  readonly approvalId: string | undefined
  readonly intervalSeconds: number | undefined
  readonly expiresInSeconds: number | undefined
  readonly retryAfterSeconds: number | undefined
  readonly oauthError: string | undefined
  readonly mayBeDone: boolean | undefined
  readonly correlationId: string | undefined

  constructor(options: ClientErrorOptions, shape?: ClientError['shape']) {
    // Servers write what they like: one that repeats a token has it in nobody's log.
    const message = redactSecrets(options.message)
    super(message, {
      ...(shape ? { result: { error: { ...shape, message } } } : {}),
      ...(options.cause instanceof Error ? { cause: options.cause } : {}),
    })
    // tRPC's constructor makes every subclass one of its own.
    Object.setPrototypeOf(this, ClientError.prototype)
    this.code = options.code
    this.hint = redactSecrets(options.hint ?? '')
    this.status = options.status
    this.agentId = options.agentId
    this.furtherOn = options.furtherOn
    this.requiredScopes = options.requiredScopes ?? []
    this.grantedScopes = options.grantedScopes ?? []
    this.approval = options.approval
    this.approvalId = options.approvalId
    this.intervalSeconds = options.intervalSeconds
    this.expiresInSeconds = options.expiresInSeconds
    this.retryAfterSeconds = options.retryAfterSeconds
    this.oauthError = options.oauthError
    this.mayBeDone = options.mayBeDone
    this.correlationId = options.correlationId
  }

  /** What a log or another program may have of it: everything but the stack and the cause. */
  toJSON(): Partial<ClientErrorFacts> & { name: string; code: string; message: string } {
    const { approval, approvalId, code, correlationId, expiresInSeconds, grantedScopes, hint } =
      this
    const { intervalSeconds, message, name, oauthError, requiredScopes, status } = this
    const { agentId, furtherOn, mayBeDone, retryAfterSeconds } = this
    const approvals = { approval, approvalId, intervalSeconds, expiresInSeconds }
    const scopes = { agentId, requiredScopes, grantedScopes, furtherOn }
    const reason = { name, code, message, hint, status, oauthError, retryAfterSeconds, mayBeDone }
    return { ...reason, ...scopes, ...approvals, correlationId }
  }
}

/**
 * Notes which agent a call was of whose error is on its way to the caller, unless it says so itself. In place: a copy
 * would have another stack.
 */
export function noteAgentId(error: ClientError, agentId: string | undefined): ClientError {
  if (agentId === undefined || error.agentId !== undefined) return error
  return Object.defineProperty(error, 'agentId', { value: agentId })
}

/** Notes that an earlier attempt of the call may have been carried out, unless the error says whether. In place, as above. */
export function noteMayBeDone(error: ClientError): ClientError {
  if (error.mayBeDone !== undefined) return error
  return Object.defineProperty(error, 'mayBeDone', { value: true })
}

/** What is always there with some codes. */
type FactsOf = {
  readonly scope_missing_further_on: { readonly furtherOn: FurtherOn }
  readonly approval_required: { readonly approval: CallToApprove }
  readonly approval_pending: { readonly approvalId: string; readonly intervalSeconds: number }
  readonly rate_limited: { readonly retryAfterSeconds: number }
}

/** A `ClientError` of one code, with what that code always comes with. */
export type ClientErrorOf<Code extends string> = ClientError & {
  readonly code: Code
} & (Code extends keyof FactsOf ? FactsOf[Code] : unknown)

const FACTS_OF: Readonly<Record<string, readonly (keyof ClientErrorFacts)[]>> = {
  scope_missing_further_on: ['furtherOn'],
  approval_required: ['approval'],
  approval_pending: ['approvalId', 'intervalSeconds'],
  rate_limited: ['retryAfterSeconds'],
} satisfies { [Code in keyof FactsOf]: readonly (keyof FactsOf[Code])[] }

/**
 * Whether an error is a `ClientError` with one of these codes: in the branch, `code` and what always
 * comes with it are typed. By its shape, so that it holds across copies of this package.
 */
export function isClientError<const Code extends ClientErrorCode | (string & {})>(
  error: unknown,
  ...codes: readonly Code[]
): error is ClientErrorOf<Code> {
  if (!(error instanceof Error) || error.name !== 'ClientError') return false
  const code: unknown = Reflect.get(error, 'code')
  if (typeof code !== 'string') return false
  if (codes.length > 0 && !codes.some((wanted) => wanted === code)) return false
  return (FACTS_OF[code] ?? []).every((fact) => Reflect.get(error, fact) !== undefined)
}
