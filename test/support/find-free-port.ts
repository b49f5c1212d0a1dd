// Ports for servers that are told theirs. One that the system chose for a listener would do only while it listens: once it
// is let go, the next connection of anybody may leave from it, and whoever wanted to listen there finds it in use.
import { createServer } from 'node:net'

/** Below what systems give to connections that leave (Linux 32768, others 49152), above what services are known by. */
const FIRST_PORT = 10_000
const PORTS_OF_A_PROCESS = 100
const PROCESSES = 220

let chosen = 0

/** A loopback port that nothing listens on, and that neither the system nor this process gives to anybody else. */
export async function findFreePort(): Promise<number> {
  for (let tried = 0; tried < PORTS_OF_A_PROCESS; tried += 1) {
    const own = FIRST_PORT + (process.pid % PROCESSES) * PORTS_OF_A_PROCESS
    const port = own + (chosen % PORTS_OF_A_PROCESS)
    chosen += 1
    if (await isFree(port)) return port
  }
  throw new Error('there is no free port')
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => {
      resolve(false)
    })
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true)
      })
    })
  })
}
