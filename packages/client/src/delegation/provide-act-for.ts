import type { ActFor, Caller, OnBehalf } from './act-for.ts'

/** What handlers get in their context. */
export type ActForContext = {
  /** Acts for whoever called: `ctx.actFor(ctx.principal)`. Throws `TypeError` for anybody else. */
  actFor(principal: Caller['principal']): OnBehalf
}

/**
 * Creates the middleware that puts `actFor` into the context of handlers:
 * `scopedProcedure('report:write').use(provideActFor(actFor))`.
 */
export function provideActFor(actFor: ActFor) {
  return async <Result>({
    ctx,
    next,
  }: {
    readonly ctx: Caller
    readonly next: (options: { readonly ctx: ActForContext }) => Promise<Result>
  }): Promise<Result> =>
    next({
      ctx: {
        actFor(principal) {
          if (principal === ctx.principal) return actFor(ctx)
          throw new TypeError('an agent acts for whoever called it, and for nobody else')
        },
      },
    })
}
