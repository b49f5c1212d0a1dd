import { agentRouter, scopedProcedure } from '@deputy/auth/trpc'
import { tracked } from '@trpc/server'
import * as z from 'zod'

export const GREETER = 'agent-greeter-v1'

/** What the program calls: one procedure for each way in which a call can be answered. */
export const greeterRouter = agentRouter({
  greet: scopedProcedure('greetings:read')
    .input(z.object({ name: z.string() }))
    .query(({ ctx, input }) => `Hello ${input.name}, says ${ctx.principal.agentId}`),
  note: scopedProcedure('greetings:read')
    .input(z.object({ text: z.string() }))
    .mutation(({ input }) => input.text.length),
  forget: scopedProcedure('greetings:write').mutation(() => 'forgotten'),
  count: scopedProcedure('greetings:read').subscription(async function* count() {
    yield tracked('1', 1)
    yield tracked('2', 2)
    yield tracked('3', 3)
  }),
})
export type GreeterRouter = typeof greeterRouter
