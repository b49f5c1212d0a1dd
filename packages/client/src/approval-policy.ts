import { hashInput } from '@deputy/auth/protocol'
import type { Operation } from '@trpc/client'
import type { CallForApproval } from './authorization.ts'
import type { CallToApprove } from './error/client-error.ts'

/**
 * What to do with a call that somebody has to approve:
 * - `refuse`: the caller is told `approval_required`, and nobody is asked;
 * - `ask`: somebody is asked, and the caller is told `approval_pending`. For handlers, whose own callers
 *   wait: the same call again joins the same approval;
 * - `wait`: somebody is asked, and the call goes on when it is approved. It is bounded by the call's time
 *   limit and signal.
 */
export type ApprovalPolicy = 'refuse' | 'ask' | 'wait'

/** Names a call as it is sent: what is approved is this input and no other. */
export async function toCallForApproval(
  op: Pick<Operation, 'input'>,
  { procedure }: CallToApprove,
  policy: ApprovalPolicy,
): Promise<CallForApproval> {
  const text = JSON.stringify(op.input) as string | undefined
  const input: unknown = text === undefined ? undefined : JSON.parse(text)
  const inputSha256 = await hashInput(input)
  return { procedure, inputSha256, input, isWaitedFor: policy === 'wait' }
}
