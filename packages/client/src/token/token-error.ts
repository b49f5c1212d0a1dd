// What the token endpoint answered, or that it did not, as a `ClientError` that names no secret.
import * as oauth from 'oauth4webapi'
import { ClientError } from '../error/client-error.ts'
import { readRetryAfter } from '../error/retry-after.ts'
import { toMessage } from '../error/to-client-error.ts'

/** Who asked whom. */
export type TokenParties = {
  readonly issuer: string
  readonly clientId: string
  /** What was asked for. Empty: everything. */
  readonly scopes: readonly string[]
}

const DEFAULT_HINT =
  'Check the client id, the secret, the audience and the scopes with the operator.'

/** What would help, by the `error` of the answer. */
const HINTS: Readonly<Record<string, string>> = {
  invalid_client: 'Check the client id and its secret or key with the operator.',
  invalid_scope:
    'Ask for scopes that this client may have at this audience, or ask the operator to allow them.',
  invalid_target:
    'Check the audience or the URL of the agent, and with the operator who may call it.',
  invalid_request:
    'Where a token was to be exchanged, it has ended or may not be handed on by this client: ask the operator.',
  invalid_authorization_details:
    'Where the token was to stand on a task grant, that one is over or not this client’s: have another one opened.',
  invalid_dpop_proof:
    'This client must prove a key: give its credentials a dpopKey, or ask the operator.',
}

/** Translates whatever a request for a token rejected with. */
export function toTokenError(error: unknown, parties: TokenParties): ClientError {
  if (error instanceof ClientError) return error
  const { clientId, issuer } = parties
  if (error instanceof oauth.ResponseBodyError && error.status < 500 && error.status !== 429) {
    return toApprovalError(error, parties) ?? toRefusal(error, parties)
  }
  if (error instanceof oauth.WWWAuthenticateChallengeError && error.status < 500) {
    return new ClientError({
      code: 'token_refused',
      message: `${issuer} does not accept the credentials of ${clientId}`,
      hint: DEFAULT_HINT,
      status: error.status,
    })
  }
  const reason = toMessage(error)
  const response = readResponse(error)
  const status = response?.status
  const isBusy = status === 429 || (status ?? 0) >= 500
  const isAnswer =
    error instanceof oauth.OperationProcessingError ||
    error instanceof oauth.UnsupportedOperationError
  return new ClientError({
    code: isAnswer && !isBusy ? 'token_response_invalid' : 'token_unavailable',
    message: `no token could be had from ${issuer}: ${reason}`,
    hint: 'Check that the authorization server is running and that the issuer URL is right.',
    status,
    retryAfterSeconds: readRetryAfter(response?.headers),
    cause: error instanceof TypeError ? error.cause : undefined,
  })
}

function toRefusal(error: oauth.ResponseBodyError, parties: TokenParties): ClientError {
  const { clientId, issuer, scopes } = parties
  const why = error.error_description ?? error.error
  return new ClientError({
    code: 'token_refused',
    message: `${issuer} refused a token to ${clientId}: ${error.error}: ${why}`,
    hint: HINTS[error.error] ?? DEFAULT_HINT,
    status: error.status,
    oauthError: error.error,
    requiredScopes: scopes,
  })
}

/** `slow_down` is answered like `authorization_pending`, 5 seconds apart more (CIBA §11). */
const SLOW_DOWN_SECONDS = 5
const DEFAULT_INTERVAL_SECONDS = 5

function toApprovalError(
  error: oauth.ResponseBodyError,
  { issuer }: TokenParties,
): ClientError | undefined {
  const { cause: body, error: oauthError, status } = error
  const id = body['auth_req_id']
  const approvalId = typeof id === 'string' ? id : undefined
  const facts = { status, oauthError, approvalId }
  switch (oauthError) {
    case 'authorization_pending':
    case 'slow_down': {
      const interval = readSeconds(body['interval']) ?? DEFAULT_INTERVAL_SECONDS
      return new ClientError({
        ...facts,
        code: 'approval_pending',
        message: `${issuer}: somebody has to approve this first`,
        hint: 'Ask again after intervalSeconds, until it is approved, denied or over.',
        intervalSeconds: oauthError === 'slow_down' ? interval + SLOW_DOWN_SECONDS : interval,
        expiresInSeconds: readSeconds(body['expires_in']),
      })
    }
    case 'access_denied':
      return new ClientError({
        ...facts,
        code: 'approval_denied',
        message: `${issuer}: the approval was denied`,
        hint: 'Do not repeat the call: whoever decides has said no.',
      })
    case 'expired_token':
      return new ClientError({
        ...facts,
        code: 'approval_expired',
        message: `${issuer}: nobody approved this in time`,
        hint: 'Ask for the approval again, and for a longer time.',
      })
    default:
      return undefined
  }
}

function readSeconds(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}

/** The answer that was not the one expected, where oauth4webapi hands it on. */
function readResponse(error: unknown): Response | undefined {
  if (
    error instanceof oauth.ResponseBodyError ||
    error instanceof oauth.WWWAuthenticateChallengeError
  ) {
    return error.response
  }
  const cause = error instanceof oauth.OperationProcessingError ? error.cause : undefined
  return cause instanceof Response ? cause : undefined
}
