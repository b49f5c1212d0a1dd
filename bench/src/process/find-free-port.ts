import { once } from 'node:events'
import { createServer } from 'node:net'
import { listenOnLoopback } from './listen-on-loopback.ts'

/** A loopback port that nothing listens on. */
export async function findFreePort(): Promise<number> {
  const server = createServer()
  const port = await listenOnLoopback(server)
  server.close()
  await once(server, 'close')
  return port
}
