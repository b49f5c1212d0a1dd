import { createServer } from 'node:net'
import { DemoError } from './demo-error.ts'

/**
 * Makes sure of a port before a server is started on it: 0 becomes a free one. Rejects with
 * `DemoError` when it is taken, naming the flag that chooses another.
 */
export async function findPort(port: number, flag: string): Promise<number> {
  const server = createServer()
  try {
    return await new Promise<number>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', () => {
        const address = server.address()
        if (address !== null && typeof address === 'object') resolve(address.port)
      })
    })
  } catch {
    throw new DemoError(
      `Port ${String(port)} is already in use or may not be used. ` +
        `Stop what listens there, or choose another port: npm start -- ${flag} 0 (0 takes any free one).`,
    )
  } finally {
    server.close()
  }
}
