// The fetch adapter behind the least of bridges to node:http.
import { fetchRequestHandler } from '@trpc/server/adapters/fetch'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { endWithParent, readPort } from '../servers/settings.ts'
import { router } from './trpc-router.ts'

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const request = new Request(`http://${req.headers.host ?? 'localhost'}${req.url ?? '/'}`)
  const response = await fetchRequestHandler({ endpoint: '/trpc', req: request, router })
  const body = await response.text()
  res.writeHead(response.status, {
    ...Object.fromEntries(response.headers),
    'content-length': Buffer.byteLength(body),
  })
  res.end(body)
}

createServer((req, res) => void answer(req, res)).listen(readPort(), '127.0.0.1')
endWithParent()
