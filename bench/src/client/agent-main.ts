// The agent that is called: one query with a small input, behind Deputy's guard.
import { createIssuerAuthenticator } from '../../../packages/auth/src/index.ts'
import { agentRouter, scopedProcedure } from '../../../packages/auth/src/trpc/index.ts'
import { createLogger, serveAgent } from '../../../packages/serve/src/index.ts'
import * as z from 'zod'

const read = (name: string): string => {
  const value = process.env[name]
  if (value === undefined) throw new TypeError(`${name} is not set`)
  return value
}
const agentId = read('AGENT_ID')
const issuer = read('ISSUER')

const router = agentRouter({
  echo: scopedProcedure('bench:call')
    .input(z.object({ text: z.string() }))
    .query(({ input }) => ({ text: input.text })),
})
export type BenchRouter = typeof router

await serveAgent({
  agentId,
  router,
  authenticator: createIssuerAuthenticator({ issuer, agentId, clientSecret: read('SECRET') }),
  issuer,
  port: Number(read('PORT')),
  // What is measured is the client, not how often it may call.
  rateLimitTiers: { standard: { burst: 1_000_000, perMinute: 60_000_000 } },
  logger: createLogger({ name: agentId, level: 'warn' }),
})
// Ends with the bench: the channel to it closes.
process.on('disconnect', () => process.exit(0))
