import { TRPCError, type TRPC_ERROR_CODE_KEY } from '@trpc/server'

/** What a handler tells its caller when it will not do what was asked. */
export type CallRefusalOptions = {
  readonly code: TRPC_ERROR_CODE_KEY
  /** Stable snake_case name, for programs: `data.reason`. */
  readonly reason: string
  /** One sentence for people: what was wrong. Public. */
  readonly message: string
  /** One sentence: what the caller can do. Public. */
  readonly hint: string
}

/**
 * Thrown by a handler to turn a call down for a reason of its own domain, with a public message. Any
 * other error that leaves a handler is a bug and reaches the caller as a bare internal error.
 */
export class CallRefusal extends TRPCError {
  override readonly name = 'TRPCError'
  readonly reason: string
  readonly hint: string

  constructor(options: CallRefusalOptions) {
    super({ code: options.code, message: options.message })
    this.reason = options.reason
    this.hint = options.hint
  }
}
