// Subscriptions end with their client, whatever they wait for: an event, a token, or the time of their next attempt,
// whose timer would keep the process alive.
import type { TRPCLink } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { observable } from '@trpc/server/observable'

export type EndLink<Router extends AnyTRPCRouter> = {
  readonly link: TRPCLink<Router>
  /** Ends all subscriptions; those that are begun later end at once. */
  endAll(): void
}

/** Creates the link. It stands before all others. */
export function createEndLink<Router extends AnyTRPCRouter>(): EndLink<Router> {
  const ends = new Set<() => void>()
  let isOver = false

  const link: TRPCLink<Router> =
    () =>
    ({ next, op }) => {
      if (op.type !== 'subscription') return next(op)
      return observable((observer) => {
        const end = (): void => {
          observer.next({ result: { type: 'state', state: 'idle', error: null } })
          observer.complete()
        }
        if (isOver) {
          end()
          return undefined
        }
        ends.add(end)
        const sent = next(op).subscribe(observer)
        return () => {
          ends.delete(end)
          sent.unsubscribe()
        }
      })
    }
  return {
    link,
    endAll() {
      isOver = true
      for (const end of ends) end()
    },
  }
}
