import { TRPCClientError } from '@trpc/client'

/** What the caller's side itself can run into. Reasons that come from an agent are beside these. */
export type ClientErrorCode =
  | 'network_error'
  | 'deadline_exceeded'
  | 'token_refused'
  | 'token_unavailable'
  | 'token_response_invalid'
  | 'credentials_file_invalid'

export type ClientErrorOptions = {
  /** One of `ClientErrorCode`, or the `reason` that an agent gave. */
  readonly code: string
  readonly message: string
  /** What would help. Empty when nothing is known. */
  readonly hint?: string | undefined
  /** HTTP status, where an answer came. */
  readonly status?: number | undefined
  readonly requiredScopes?: readonly string[] | undefined
  readonly grantedScopes?: readonly string[] | undefined
  /** For `approval_required`: what somebody would have to approve. */
  readonly approval?: CallToApprove | undefined
  /** Names the call in the agent's log. */
  readonly correlationId?: string | undefined
  readonly cause?: unknown
}

/** A call as an approval names it: its procedure, and the hash of its input (`hashInput`). */
export type CallToApprove = { readonly procedure: string; readonly inputSha256: string }

/** Everything that can go wrong for a caller, in one shape. Never holds a token or a secret. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly code: string
  readonly hint: string
  readonly status: number | undefined
  readonly requiredScopes: readonly string[]
  readonly grantedScopes: readonly string[]
  readonly approval: CallToApprove | undefined
  readonly correlationId: string | undefined

  constructor(options: ClientErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = options.code
    this.hint = options.hint ?? ''
    this.status = options.status
    this.requiredScopes = options.requiredScopes ?? []
    this.grantedScopes = options.grantedScopes ?? []
    this.approval = options.approval
    this.correlationId = options.correlationId
  }
}

/**
 * Translates whatever a call rejected with. An agent's refusal keeps its `reason` as `code`; what
 * never reached an agent gets one of `ClientErrorCode`.
 */
export function toClientError(error: unknown): ClientError {
  if (error instanceof ClientError) return error
  if (error instanceof TRPCClientError) return fromTrpc(error)
  const message = error instanceof Error ? error.message : 'the call failed'
  return new ClientError({ code: 'network_error', message, cause: error })
}

function fromTrpc(error: TRPCClientError<never>): ClientError {
  if (error.cause instanceof ClientError) return error.cause
  const data: unknown = error.data
  const { message } = error
  if (typeof data !== 'object' || data === null) {
    const hint = 'Check that the agent is running and that its URL is right.'
    return new ClientError({ code: 'network_error', message, hint, cause: error.cause })
  }
  const read = (name: string): unknown => Reflect.get(data, name)
  const text = (name: string): string | undefined => {
    const value = read(name)
    return typeof value === 'string' ? value : undefined
  }
  const list = (name: string): readonly string[] => {
    const value = read(name)
    return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
  }
  const status = read('httpStatus')
  return new ClientError({
    code: text('reason') ?? text('code')?.toLowerCase() ?? 'network_error',
    message,
    hint: text('hint'),
    status: typeof status === 'number' ? status : undefined,
    requiredScopes: list('requiredScopes'),
    grantedScopes: list('grantedScopes'),
    approval: readApproval(read('approval')),
    correlationId: text('correlationId'),
  })
}

function readApproval(value: unknown): CallToApprove | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (!('procedure' in value && 'inputSha256' in value)) return undefined
  const { inputSha256, procedure } = value
  const isRead = typeof procedure === 'string' && typeof inputSha256 === 'string'
  return isRead ? { procedure, inputSha256 } : undefined
}
