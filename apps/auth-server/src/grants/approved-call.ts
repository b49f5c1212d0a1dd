// The part of a token request that is about one call that somebody has to approve, the same for every grant:
// read first, asked for last, when everything else about the token is in order.
import type { ApprovedCall } from '@deputy/auth/protocol'
import type { Client } from '../agents/agent.ts'
import type { ApprovalRequest } from '../approvals/read-approval-request.ts'
import { readApprovalRequest } from '../approvals/read-approval-request.ts'
import type { CallToApprove, RequireApproval } from '../approvals/require-approval.ts'
import { withholdScopes, type WithheldScopes } from '../delegation/withhold-scopes.ts'
import type { FormBody } from '../endpoints/form-body.ts'
import { OAuthError } from '../oauth-error.ts'
import { checkAuthorizationDetails, type AuthorizationDetail } from './authorization-details.ts'
import { readDetails } from './read-parameters.ts'

/** What a token request asks for in `authorization_details`. */
export type RequestedDetails = {
  /** The call that the token is to be for, if it is for one only. */
  readonly call: ApprovalRequest | undefined
  readonly others: readonly AuthorizationDetail[]
}

/** Reads `authorization_details`. Rejects with `OAuthError`. */
export async function readRequestedDetails(body: FormBody): Promise<RequestedDetails> {
  const details = readDetails(body)
  const call = await readApprovalRequest(body, details)
  if (!call.ok) throw new OAuthError(call.refusal)
  return { call: call.value, others: details.filter(({ type }) => type !== 'approved_call') }
}

export type ScopesForCall = {
  readonly scopes: readonly string[]
  readonly requested: readonly string[] | undefined
  readonly client: Client
  readonly target: Client
  readonly call: ApprovalRequest | undefined
}

/** Keeps back what the target gives for approved calls only. Throws `OAuthError` where nothing is left. */
export function withholdForCall({ call, ...request }: ScopesForCall): WithheldScopes {
  const withheld = withholdScopes({ ...request, isForOneCall: call !== undefined })
  if (withheld.ok) return withheld.value
  const { code, message, rule } = withheld.refusal
  throw new OAuthError({ code, message, reason: rule })
}

export type TokenForCall<Detail> = {
  readonly call: ApprovalRequest | undefined
  readonly details: readonly Detail[]
  readonly target: Client
  /** Of the token; asked for only where there is a call. */
  readonly describe: () => CallToApprove
}

/** What the token will carry, and the approval that it is issued on. */
export type ApprovedDetails<Detail> = {
  readonly details: readonly (Detail | ApprovedCall)[]
  readonly approvalId: string | undefined
}

/**
 * Checks that the target understands all of it, and has the call approved. Rejects with `OAuthError`, also
 * while nobody has decided.
 */
export async function approveDetails<Detail extends { type: string; locations?: unknown }>(
  requireApproval: RequireApproval,
  { call, describe, details, target }: TokenForCall<Detail>,
): Promise<ApprovedDetails<Detail>> {
  const asked = call === undefined ? [] : [toApprovedCall(call)]
  const checked = checkAuthorizationDetails([...details, ...asked], target)
  if (!checked.ok) throw new OAuthError(checked.refusal)
  if (call === undefined) return { details, approvalId: undefined }
  const { id } = await requireApproval(call, describe())
  return { details: [...details, { ...toApprovedCall(call), identifier: id }], approvalId: id }
}

function toApprovedCall({ inputSha256, procedure }: ApprovalRequest): ApprovedCall {
  return { type: 'approved_call', procedure, input_sha256: inputSha256 }
}
