// An agent as small as one can be: one call, one stream, behind Deputy's guard.
import { createIssuerAuthenticator } from '../../../packages/auth/src/index.ts'
import { agentRouter, scopedProcedure } from '../../../packages/auth/src/trpc/index.ts'
import { createLogger, serveAgent } from '../../../packages/serve/src/index.ts'

const read = (name: string): string => {
  const value = process.env[name]
  if (value === undefined) throw new TypeError(`${name} is not set`)
  return value
}
const agentId = read('AGENT_ID')
const issuer = read('ISSUER')

const router = agentRouter({
  ping: scopedProcedure('bench:call').query(() => 'pong'),
  wait: scopedProcedure('bench:call').subscription(async function* ({ ctx }) {
    yield 'open'
    const signal = ctx.getSignal()
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve, { once: true })
    })
  }),
})

const authenticator = createIssuerAuthenticator({
  issuer,
  agentId,
  clientSecret: read('SECRET'),
})
await serveAgent({
  agentId,
  router,
  authenticator,
  issuer,
  port: Number(read('PORT')),
  logger: createLogger({ name: agentId, level: 'warn' }),
})
// Ends with the bench: the channel to it closes.
process.on('disconnect', () => process.exit(0))
