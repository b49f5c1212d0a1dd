import { initTRPC } from '@trpc/server'
import * as z from 'zod'

const t = initTRPC.create()

/** The same query without authentication. */
export const router = t.router({
  echo: t.procedure
    .input(z.object({ text: z.string() }))
    .query(({ input }) => ({ text: input.text })),
})
