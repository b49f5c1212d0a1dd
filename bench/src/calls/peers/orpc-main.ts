import { os } from '@orpc/server'
import { RPCHandler } from '@orpc/server/node'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import * as z from 'zod'
import { endWithParent, readPort } from '../servers/settings.ts'

const echo = os.input(z.object({ text: z.string() })).handler(({ input }) => ({ text: input.text }))
const handler = new RPCHandler({ echo })

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { matched } = await handler.handle(req, res, { prefix: '/rpc', context: {} })
  if (!matched) res.writeHead(404).end()
}

createServer((req, res) => void answer(req, res)).listen(readPort(), '127.0.0.1')
endWithParent()
