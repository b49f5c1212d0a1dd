import { agentRouter, scopedProcedure } from '../../../../packages/auth/src/trpc/index.ts'
import { once } from 'node:events'
import * as z from 'zod'
import { endWithParent } from '../../calls/servers/settings.ts'
import { serveOnSockets } from './serve-on-sockets.ts'

await serveOnSockets(
  agentRouter({
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
)
endWithParent()
