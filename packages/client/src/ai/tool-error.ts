import { toClientError } from '../error/to-client-error.ts'
import { redactSecrets } from '../error/redact-secrets.ts'

/**
 * Why a tool's call failed, in words that a model may read: the reason, what was wrong, what would help. It
 * holds no correlation id and no cause, since either could end up in a prompt.
 */
export class ToolError extends Error {
  override readonly name = 'ToolError'
  /** A `ClientErrorCode`, or the `reason` that an agent gave. */
  readonly code: string

  private constructor(code: string, message: string) {
    super(message)
    this.code = code
  }

  /** Takes out of what a call rejected with what a model may know. */
  static from(error: unknown): ToolError {
    const { code, correlationId, hint, message } = toClientError(error)
    const words = `${code}: ${message}. ${hint}`.trim()
    const safe = correlationId === undefined ? words : words.replaceAll(correlationId, '…')
    return new ToolError(code, redactSecrets(safe))
  }
}
