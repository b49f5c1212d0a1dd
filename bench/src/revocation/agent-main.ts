// An agent as small as one can be: one call, one stream, behind Deputy's guard.
import { agentRouter, scopedProcedure } from '../../../packages/auth/src/trpc/index.ts'
import { serveIssuerAgent } from '../process/serve-issuer-agent.ts'

await serveIssuerAgent(
  agentRouter({
    ping: scopedProcedure('bench:call').query(() => 'pong'),
    wait: scopedProcedure('bench:call').subscription(async function* ({ ctx }) {
      yield 'open'
      const signal = ctx.getSignal()
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve, { once: true })
      })
    }),
  }),
)
