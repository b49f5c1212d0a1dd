// What a token request says of the call that it wants approved. Strict: who decides must be able to rely
// on what they see. Pure, but for hashing.
import { accept, ApprovedCallRequest, hashInput, refuse, type Result } from '@deputy/auth/protocol'
import * as z from 'zod'
import type { FormBody } from '../endpoints/form-body.ts'
import type { AuthorizationDetail } from '../grants/authorization-details.ts'

/** How long a request stays open where it does not say, in seconds. */
export const DEFAULT_EXPIRY_SECONDS = 900

/** How long it may ask to stay open, in seconds: a day. */
export const MAX_EXPIRY_SECONDS = 24 * 60 * 60

const BindingMessage = z
  .string()
  .trim()
  .min(1)
  .max(200)
  // Attack prevented: text that a terminal or a page shows as something else.
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'must be one line of plain text')
const RequestedExpiry = z.coerce.number().pipe(z.int().min(1).max(MAX_EXPIRY_SECONDS))

export type ApprovalRequest = {
  readonly procedure: string
  readonly inputSha256: string
  readonly input: ApprovedCallRequest['input']
  readonly bindingMessage: string | undefined
  readonly expirySeconds: number
  /** Names an earlier request for the same call. */
  readonly approvalId: string | undefined
}

export type ApprovalRequestRefusal = {
  readonly code: 'invalid_request' | 'invalid_authorization_details'
  readonly message: string
}

type Read = Result<ApprovalRequest | undefined, ApprovalRequestRefusal>

/** Reads the `approved_call` among the details, and the parameters that go with it (CIBA §7.1). */
export async function readApprovalRequest(
  body: FormBody,
  details: readonly AuthorizationDetail[],
): Promise<Read> {
  const [named, ...others] = details.filter(({ type }) => type === 'approved_call')
  const approvalId = body.get('auth_req_id')
  if (named === undefined) {
    if (approvalId === undefined) return accept(undefined)
    return invalid('auth_req_id goes with the approved_call that it is for: send the same request')
  }
  if (others.length > 0) return malformed('names several calls: ask for one token for each')
  const call = ApprovedCallRequest.safeParse(named)
  if (!call.success) return malformed(describe(call.error))
  const { input, input_sha256: inputSha256, procedure } = call.data
  // Attack prevented: something harmless in view, and the hash of something else.
  if (input !== undefined && (await hashInput(input)) !== inputSha256) {
    return malformed('has an input that does not hash to input_sha256 (RFC 8785, SHA-256)')
  }
  const bindingMessage = BindingMessage.optional().safeParse(body.get('binding_message'))
  if (!bindingMessage.success) {
    return invalid(`binding_message ${describe(bindingMessage.error)}`)
  }
  const expiry = RequestedExpiry.safeParse(body.get('requested_expiry') ?? DEFAULT_EXPIRY_SECONDS)
  if (!expiry.success) {
    return invalid(`requested_expiry must be 1 to ${String(MAX_EXPIRY_SECONDS)} seconds`)
  }
  return accept({
    procedure,
    inputSha256,
    input,
    bindingMessage: bindingMessage.data,
    expirySeconds: expiry.data,
    approvalId,
  })
}

function describe(error: z.ZodError): string {
  const issue = error.issues[0]
  const where = issue?.path.join('.') ?? ''
  return `${where} ${issue?.message ?? 'cannot be read'}`.trim()
}

function invalid(message: string): Read {
  return refuse({ code: 'invalid_request', message })
}

function malformed(what: string): Read {
  return refuse({
    code: 'invalid_authorization_details',
    message: `authorization_details of type approved_call ${what}`,
  })
}
