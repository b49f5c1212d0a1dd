// The agent that is called: one query with a small input, behind Deputy's guard.
import { agentRouter, scopedProcedure } from '../../../packages/auth/src/trpc/index.ts'
import * as z from 'zod'
import { serveIssuerAgent } from '../process/serve-issuer-agent.ts'

const router = agentRouter({
  echo: scopedProcedure('bench:call')
    .input(z.object({ text: z.string() }))
    .query(({ input }) => ({ text: input.text })),
})
export type BenchRouter = typeof router

await serveIssuerAgent(router)
