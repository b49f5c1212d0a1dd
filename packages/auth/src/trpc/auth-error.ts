import { TRPCError } from '@trpc/server'
import { toPublicRefusal } from '../public-refusal.ts'
import type { Refusal } from '../refusal.ts'

const TRPC_CODE = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  408: 'TIMEOUT',
  429: 'TOO_MANY_REQUESTS',
  503: 'SERVICE_UNAVAILABLE',
} as const

/** A refusal on its way out through tRPC. Its message is public; `refusal` also holds the operator's detail. */
export class AuthError extends TRPCError {
  override readonly name = 'TRPCError'
  readonly refusal: Refusal
  /** Whether it ended work that had begun, and that nobody can take back. */
  readonly mayBeDone: boolean

  constructor(refusal: Refusal, { mayBeDone = false }: { readonly mayBeDone?: boolean } = {}) {
    const { message, status } = toPublicRefusal(refusal)
    super({ code: TRPC_CODE[status], message })
    this.refusal = refusal
    this.mayBeDone = mayBeDone
  }
}
