import { TRPCClientError, type TRPCLink } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { observable } from '@trpc/server/observable'
import { toClientError } from '../error/to-client-error.ts'

/** Creates the first link: whatever a call rejects with is a `ClientError`. */
export function createErrorLink<Router extends AnyTRPCRouter>(): TRPCLink<Router> {
  return () =>
    ({ next, op }) =>
      observable((observer) =>
        next(op).subscribe({
          next(value) {
            observer.next(value)
          },
          complete() {
            observer.complete()
          },
          error(error) {
            observer.error(TRPCClientError.from(toClientError(error)))
          },
        }),
      )
}
