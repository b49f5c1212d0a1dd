import { agentRouter, scopedProcedure } from '../../../../packages/auth/src/trpc/index.ts'
import { readFile } from 'node:fs/promises'
import { once } from 'node:events'
import * as z from 'zod'
import { endWithParent, readPort, readSetting } from '../../calls/servers/settings.ts'
import { serveBenchAgent } from './create-agent.ts'

await serveBenchAgent({
  port: readPort(),
  jwks: await readFile(readSetting('BENCH_JWKS_FILE'), 'utf8'),
  router: agentRouter({
    echo: scopedProcedure('notes:read')
      .input(z.object({ text: z.string() }))
      .query(({ input }) => ({ text: input.text })),
    stream: scopedProcedure('notes:read')
      .input(z.object({ text: z.string(), count: z.number() }))
      .subscription(async function* stream({ input }) {
        for (let sent = 0; sent < input.count; sent += 1) yield { text: input.text }
      }),
    idle: scopedProcedure('notes:read').subscription(async function* idle({ ctx }) {
      await once(ctx.getSignal(), 'abort')
      yield 'never'
    }),
  }),
})
endWithParent()
