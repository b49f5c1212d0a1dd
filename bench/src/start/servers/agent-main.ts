// An agent as its author writes it: keys, API keys and revocations from one issuer, one scoped procedure.
import { createIssuerAuthenticator } from '../../../../packages/auth/src/index.ts'
import { agentRouter, scopedProcedure } from '../../../../packages/auth/src/trpc/index.ts'
import { createLogger, serveAgent } from '../../../../packages/serve/src/index.ts'
import * as z from 'zod'
import { endWithParent, readPort, readSetting } from '../../calls/servers/settings.ts'

const agentId = readSetting('BENCH_AGENT_ID')
const issuer = readSetting('BENCH_ISSUER')

await serveAgent({
  agentId,
  issuer,
  port: readPort(),
  router: agentRouter({
    echo: scopedProcedure('notes:read')
      .input(z.object({ text: z.string() }))
      .query(({ input }) => ({ text: input.text })),
  }),
  authenticator: createIssuerAuthenticator({
    issuer,
    agentId,
    clientSecret: readSetting('BENCH_SECRET'),
  }),
  logger: createLogger({ name: agentId }),
})
endWithParent()
