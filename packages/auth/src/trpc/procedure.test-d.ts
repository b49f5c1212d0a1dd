// What the compiler promises about procedures. Compiled, never run: an error that no longer comes
// makes its @ts-expect-error an error.
import type { inferRouterInputs, inferRouterOutputs } from '@trpc/server'
import { expectTypeOf } from 'vitest'
import * as z from 'zod'
import type { Principal } from '../principal.ts'
import { agentRouter, requireScope, scopedProcedure } from './index.ts'

// @ts-expect-error -- a procedure without a scope: anybody could call it
scopedProcedure()
// @ts-expect-error -- a scope without a colon is no noun:verb
scopedProcedure('billing')
// @ts-expect-error -- nor is one of two
scopedProcedure('billing:read', 'billing')
// @ts-expect-error -- a list is not a scope
scopedProcedure(['billing:read'])
// @ts-expect-error -- nor does an object make up for scopes that are missing
scopedProcedure({ limits: ['budget'] })
// @ts-expect-error -- or are none
scopedProcedure({ scopes: [] })
// @ts-expect-error -- one form or the other
scopedProcedure('billing:read', { scopes: ['billing:read'] })

const router = agentRouter({
  charge: scopedProcedure('billing:write')
    .input(z.object({ amountMinor: z.number(), memo: z.string().optional() }))
    .mutation(({ ctx, input }) => {
      expectTypeOf<typeof ctx.principal>().toEqualTypeOf<Principal>()
      expectTypeOf<typeof input>().toEqualTypeOf<{
        amountMinor: number
        memo?: string | undefined
      }>()
      // @ts-expect-error -- who is calling is not for a handler to change
      ctx.principal.agentId = 'agent-mallory'
      // @ts-expect-error -- there is no such thing in the context: it is not `any`
      void ctx.user
      // @ts-expect-error -- the same grammar inside a handler
      requireScope(ctx.principal, 'admin')
      // @ts-expect-error -- and at least one
      requireScope(ctx.principal)
      return { chargedMinor: input.amountMinor }
    }),
})

type Inputs = inferRouterInputs<typeof router>
type Outputs = inferRouterOutputs<typeof router>
expectTypeOf<Inputs['charge']>().toEqualTypeOf<{ amountMinor: number; memo?: string | undefined }>()
expectTypeOf<Outputs['charge']>().toEqualTypeOf<{ chargedMinor: number }>()
// @ts-expect-error -- the check itself can fail
expectTypeOf<Inputs['charge']>().toEqualTypeOf<{ amountMinor: string }>()
expectTypeOf<Outputs['charge']>().not.toBeAny()
