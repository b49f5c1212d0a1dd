// The one place where what a call rejected with becomes a `ClientError`.
import { TRPCClientError } from '@trpc/client'
import { ClientError, type CallToApprove, type FurtherOn } from './client-error.ts'
import { readRetryAfter } from './retry-after.ts'

const UNREACHABLE_HINT = 'Check that the agent is running and that its URL is right.'

/**
 * Translates whatever a call rejected with. An agent's refusal keeps its `reason` as `code`; what
 * never reached an agent gets one of `ClientErrorCode`.
 */
export function toClientError(error: unknown): ClientError {
  if (error instanceof ClientError) return error
  if (error instanceof TRPCClientError) return fromTrpc(error)
  if (isAbort(error)) return aborted()
  const message = toMessage(error)
  return new ClientError({ code: 'network_error', message, hint: UNREACHABLE_HINT, cause: error })
}

/** `fetch failed` alone helps nobody: its cause says what did. */
export function toMessage(error: unknown): string {
  if (!(error instanceof Error)) return 'the call failed'
  const { cause } = error
  if (!(cause instanceof Error) || error.message.includes(cause.message)) return error.message
  return `${error.message}: ${cause.message}`
}

function fromTrpc(error: TRPCClientError<never>): ClientError {
  if (error.cause instanceof ClientError) return error.cause
  const data: unknown = error.data
  const { message } = error
  if (typeof data !== 'object' || data === null) {
    if (isAbort(error.cause)) return aborted()
    const status = readResponse(error.meta, 'status')
    return new ClientError({
      code: 'network_error',
      message: error.cause === undefined ? message : toMessage(error.cause),
      hint: UNREACHABLE_HINT,
      status: typeof status === 'number' ? status : undefined,
      retryAfterSeconds: readRetryAfter(readResponse(error.meta, 'headers')),
      cause: error.cause,
    })
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
  return new ClientError(
    {
      code: text('reason') ?? text('code')?.toLowerCase() ?? 'network_error',
      message,
      hint: text('hint'),
      status: typeof status === 'number' ? status : undefined,
      requiredScopes: list('requiredScopes'),
      grantedScopes: list('grantedScopes'),
      furtherOn: readFurtherOn(read('furtherOn')),
      ...readApproval(read('approval')),
      retryAfterSeconds:
        readNumber(data, 'retryAfterSeconds') ??
        readRetryAfter(readResponse(error.meta, 'headers')),
      mayBeDone: read('mayBeDone') === true ? true : undefined,
      correlationId: text('correlationId'),
    },
    error.shape,
  )
}

function readFurtherOn(value: unknown): FurtherOn | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const agentId: unknown = Reflect.get(value, 'agentId')
  const calledAgentId: unknown = Reflect.get(value, 'calledAgentId')
  if (typeof agentId !== 'string') return undefined
  return { agentId, calledAgentId: typeof calledAgentId === 'string' ? calledAgentId : undefined }
}

function readApproval(value: unknown): {
  readonly approval?: CallToApprove
  readonly approvalId?: string
  readonly intervalSeconds?: number | undefined
  readonly expiresInSeconds?: number | undefined
} {
  if (typeof value !== 'object' || value === null) return {}
  if ('id' in value && typeof value.id === 'string') {
    return {
      approvalId: value.id,
      intervalSeconds: readNumber(value, 'intervalSeconds'),
      expiresInSeconds: readNumber(value, 'expiresInSeconds'),
    }
  }
  if (!('procedure' in value && 'inputSha256' in value)) return {}
  const { inputSha256, procedure } = value
  const isRead = typeof procedure === 'string' && typeof inputSha256 === 'string'
  return isRead ? { approval: { procedure, inputSha256 } } : {}
}

function readNumber(value: object, name: string): number | undefined {
  const number: unknown = Reflect.get(value, name)
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

/** Reads a member of the answer that tRPC's HTTP links hand on. Over WebSocket there is none. */
function readResponse(meta: Record<string, unknown> | undefined, name: string): unknown {
  const response = meta?.['response']
  return typeof response === 'object' && response !== null ? Reflect.get(response, name) : undefined
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

function aborted(): ClientError {
  return new ClientError({
    code: 'call_aborted',
    message: 'the caller gave the call up',
    hint: 'The call may have been carried out: repeat it with the same idempotency key.',
  })
}
