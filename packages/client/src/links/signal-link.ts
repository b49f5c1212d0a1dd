import { TRPCClientError, type TRPCLink } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { observable } from '@trpc/server/observable'
import { ClientError } from '../error/client-error.ts'
import { followCall, toHint } from './call-progress.ts'

/**
 * Creates a link that ends a call as soon as its own signal is aborted, or this one, which every call of the
 * client has: also while it waits for a token, an approval or its next attempt, where tRPC does not look at
 * the signal.
 */
export function createSignalLink<Router extends AnyTRPCRouter>(
  common?: AbortSignal,
): TRPCLink<Router> {
  return () =>
    ({ next, op }) => {
      // tRPC ends subscriptions by itself.
      const own = op.type === 'subscription' ? undefined : (op.signal ?? undefined)
      if (common === undefined && own === undefined) return next(op)
      const { op: followed, progress } = followCall(op)
      return observable((observer) => {
        const abort = (): void => {
          const message = `${op.path} was given up by whoever it was made for`
          const { mayBeDone } = progress
          const hint = toHint(progress)
          const error = new ClientError({ code: 'call_aborted', message, hint, mayBeDone })
          observer.error(TRPCClientError.from(error))
        }
        if (common?.aborted === true || own?.aborted === true) {
          abort()
          return undefined
        }
        const sent = next(followed).subscribe(observer)
        common?.addEventListener('abort', abort, { once: true })
        own?.addEventListener('abort', abort, { once: true })
        return () => {
          common?.removeEventListener('abort', abort)
          own?.removeEventListener('abort', abort)
          sent.unsubscribe()
        }
      })
    }
}
