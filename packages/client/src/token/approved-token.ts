// A token for one call that somebody has to approve, asked for until it is decided. The token endpoint
// answers as in CIBA (§11): `authorization_pending` with an interval, `slow_down`, `access_denied`,
// `expired_token`.
import type { Clock } from '@deputy/auth/protocol'
import { ClientError } from '../error/client-error.ts'
import { wait } from '../wait.ts'
import type { AccessToken } from './access-token.ts'

export type AwaitApprovalOptions = {
  readonly clock: Clock
  /** Repeats the request; @param approvalId names the approval that is waited for, from the second time on. */
  readonly request: (approvalId: string | undefined) => Promise<AccessToken>
  /** Whether to go on asking until it is decided. Otherwise the first answer counts. */
  readonly isWaitedFor: boolean
  /** Gives up waiting. The approval stays, and the same request joins it again. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Asks until the approval is given. Rejects with `ClientError`: `approval_denied`, `approval_expired`,
 * `approval_pending` where it is not waited for, or what the endpoint refused; or with the reason of the
 * signal.
 */
export async function awaitApproval(options: AwaitApprovalOptions): Promise<AccessToken> {
  const { clock, isWaitedFor, request, signal } = options
  let approvalId: string | undefined
  let leastSeconds = 1
  for (;;) {
    try {
      return await request(approvalId)
    } catch (error) {
      if (!(error instanceof ClientError) || !isWaitedFor) throw error
      if (error.code !== 'approval_pending' && error.code !== 'token_unavailable') throw error
      // An outage while somebody decides is waited out as well: the signal ends it.
      if (error.code === 'token_unavailable' && approvalId === undefined) throw error
      approvalId = error.approvalId ?? approvalId
      // > slow_down: […] the interval MUST be increased by at least 5 seconds for this and all
      // > subsequent requests (CIBA §11)
      const asked = Math.max(error.intervalSeconds ?? error.retryAfterSeconds ?? 0, leastSeconds)
      if (error.oauthError === 'slow_down') leastSeconds = Math.max(asked, leastSeconds + 5)
      await wait(clock, asked * 1000, signal)
    }
  }
}
