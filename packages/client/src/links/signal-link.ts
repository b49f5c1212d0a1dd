import { TRPCClientError, type TRPCLink } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { observable } from '@trpc/server/observable'
import { ClientError } from '../error/client-error.ts'

/** Creates a link that ends every call when the signal is aborted, whether or not the call has one of its own. */
export function createSignalLink<Router extends AnyTRPCRouter>(
  signal: AbortSignal | undefined,
): TRPCLink<Router> {
  return () =>
    ({ next, op }) =>
      observable((observer) => {
        if (signal === undefined) return next(op).subscribe(observer)
        const abort = (): void => {
          const message = `${op.path} was given up: whoever it was made for is gone`
          observer.error(TRPCClientError.from(new ClientError({ code: 'call_aborted', message })))
        }
        if (signal.aborted) {
          abort()
          return undefined
        }
        signal.addEventListener('abort', abort, { once: true })
        const sent = next(op).subscribe(observer)
        return () => {
          signal.removeEventListener('abort', abort)
          sent.unsubscribe()
        }
      })
}
