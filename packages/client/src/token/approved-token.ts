// A token for one call that somebody has to approve, asked for until it is decided. The token endpoint
// answers as in CIBA (§11): `authorization_pending` with an interval, `slow_down`, `access_denied`,
// `expired_token`.
import type { Clock } from '@deputy/auth/protocol'
import { ClientError } from '../error/client-error.ts'
import { wait } from '../wait.ts'
import type { AccessToken } from './access-token.ts'

export type ApprovedTokenOptions = {
  readonly clock: Clock
  /** Repeats the request; @param approvalId names the approval that it is about, once that is known. */
  readonly request: (
    approvalId: string | undefined,
    signal: AbortSignal | undefined,
  ) => Promise<AccessToken>
  /** Whether to go on asking until it is decided. Otherwise the first answer counts. */
  readonly isWaitedFor: boolean
}

/** The token of one call, however often the call is sent: nobody is asked twice for what got lost on the way. */
export type ApprovedToken = {
  /**
   * The token, once the approval is given; the same one until it ends, and then another one for the same approval.
   * Rejects with `ClientError`: `approval_denied`, `approval_expired`, `approval_pending` where it is not waited for, or
   * what the endpoint refused; or with the reason of the signal, which gives up waiting: the approval stays, and the
   * same request joins it again.
   */
  get(signal?: AbortSignal): Promise<AccessToken>
  /** Lets go of a token that was refused. Answers whether another one can be had for the same approval. */
  discard(): boolean
}

/** Creates it; nothing is asked for yet. */
export function createApprovedToken(options: ApprovedTokenOptions): ApprovedToken {
  const { clock, isWaitedFor, request } = options
  let approvalId: string | undefined
  let token: AccessToken | undefined

  async function ask(signal: AbortSignal | undefined): Promise<AccessToken> {
    let leastSeconds = 1
    for (;;) {
      try {
        return await request(approvalId, signal)
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

  return {
    async get(signal) {
      if (token === undefined || token.expiresAt <= clock.now()) token = await ask(signal)
      approvalId = token.approvalId ?? approvalId
      return token
    },
    discard() {
      token = undefined
      return approvalId !== undefined
    },
  }
}
