import { createServer } from 'node:net'
import { once } from 'node:events'

/** Finds a port that is free now: an issuer's URL has to be known before its server listens. */
export async function findFreePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP server')
  return address.port
}
