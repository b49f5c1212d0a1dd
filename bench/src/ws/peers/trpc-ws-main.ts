import { initTRPC } from '@trpc/server'
import { applyWSSHandler } from '@trpc/server/adapters/ws'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'
import * as z from 'zod'
import { endWithParent, readPort } from '../../calls/servers/settings.ts'
import { answerMemory } from '../servers/memory.ts'

const t = initTRPC.create()

/** The same procedures without authentication. */
const router = t.router({
  echo: t.procedure
    .input(z.object({ text: z.string() }))
    .query(({ input }) => ({ text: input.text })),
  stream: t.procedure
    .input(z.object({ text: z.string(), count: z.number() }))
    .subscription(async function* stream({ input }) {
      for (let sent = 0; sent < input.count; sent += 1) yield { text: input.text }
    }),
  idle: t.procedure.subscription(async function* idle({ signal }) {
    if (signal !== undefined) await once(signal, 'abort')
    yield 'never'
  }),
})

const server = createServer(answerMemory)
applyWSSHandler({ wss: new WebSocketServer({ server, path: '/trpc' }), router })
server.listen(readPort(), '127.0.0.1')
endWithParent()
