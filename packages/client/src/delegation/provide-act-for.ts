import type { TRPCMiddlewareFunction } from '@trpc/server'
import type { ActFor, Caller, OnBehalf } from './act-for.ts'

/** What handlers get in their context. */
export type ActForContext = {
  /** Acts for whoever called: `ctx.actFor(ctx.principal)`. Throws `TypeError` for anybody else. */
  actFor(principal: Caller['principal']): OnBehalf
}

/** What a middleware of tRPC gives back that adds this to the context. */
type Provided = ReturnType<TRPCMiddlewareFunction<object, object, object, ActForContext, unknown>>

type ProvideOptions = {
  readonly ctx: Caller
  readonly next: (options: { readonly ctx: ActForContext }) => Provided
}

/**
 * Creates the middleware that puts `actFor` into the context of handlers:
 * `scopedProcedure('report:write').use(provideActFor(actFor))`.
 */
export function provideActFor(actFor: ActFor): (options: ProvideOptions) => Provided {
  return async ({ ctx, next }) =>
    next({
      ctx: {
        actFor(principal) {
          if (principal === ctx.principal) return actFor(ctx)
          throw new TypeError('an agent acts for whoever called it, and for nobody else')
        },
      },
    })
}
