// A proxy on loopback that cuts connections where a test says: after so many bytes of what the agent sends.
import { connect, createServer, type Socket } from 'node:net'

export type CuttingProxy = AsyncDisposable & {
  readonly url: string
  /** Connections so far. */
  readonly connections: number
  /** Where connections lead to from now on. */
  target: number
  /** Cuts what is open. */
  cut(): void
}

/** Starts the proxy. @param cuts of each connection in turn: after how many bytes it is cut; the rest is left alone */
export async function startCuttingProxy(
  target: number,
  cuts: readonly number[] = [],
): Promise<CuttingProxy> {
  const open = new Set<Socket>()
  let connections = 0
  const server = createServer((client) => {
    let left = cuts[connections] ?? Infinity
    connections += 1
    const agent = connect(proxy.target, '127.0.0.1')
    for (const socket of [client, agent]) {
      open.add(socket)
      socket.on('error', () => undefined)
      socket.once('close', () => {
        open.delete(socket)
        client.destroy()
        agent.destroy()
      })
    }
    client.pipe(agent)
    agent.on('data', (data: Buffer) => {
      const passed = data.subarray(0, left)
      left -= passed.length
      client.write(passed, () => {
        if (left === 0) client.destroy()
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const cut = (): void => {
    for (const socket of open) socket.destroy()
  }
  const proxy: CuttingProxy = {
    url: `http://127.0.0.1:${String(port)}`,
    get connections() {
      return connections
    },
    target,
    cut,
    [Symbol.asyncDispose]: async () => {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return proxy
}
