// Deputy's agent with one query, behind its guard or, to see beside it what authentication costs, open.
import type { Authenticator, Principal } from '../../../../packages/auth/src/index.ts'
import { accept } from '../../../../packages/auth/src/protocol/index.ts'
import { agentRouter, scopedProcedure } from '../../../../packages/auth/src/trpc/index.ts'
import * as z from 'zod'
import { AGENT_ID } from '../scenario.ts'
import { serveBenchAgent } from './serve-bench-agent.ts'
import { endWithParent, readSetting } from './settings.ts'

/** Lets everybody in, for what authentication costs to be seen beside. */
const anybody: Principal = {
  agentId: 'agent-anybody',
  subject: 'agent-anybody',
  audience: AGENT_ID,
  scopes: ['notes:read'],
  priorActors: [],
  expiresAt: undefined,
  grantPath: [],
  limits: [],
  credential: { kind: 'access_token', id: 'none' },
}
const admitted = accept({
  principal: anybody,
  recheck: async () => accept(anybody),
  watch: () => () => undefined,
})
const open: Authenticator = { authenticate: async () => admitted }

await serveBenchAgent({
  router: agentRouter({
    echo: scopedProcedure('notes:read')
      .input(z.object({ text: z.string() }))
      .query(({ input }) => ({ text: input.text })),
  }),
  denied: Number(readSetting('BENCH_DENIED')),
  maxTokens: Number(readSetting('BENCH_MAX_TOKENS')),
  authenticator: readSetting('BENCH_OPEN') === 'yes' ? open : undefined,
})
endWithParent()
