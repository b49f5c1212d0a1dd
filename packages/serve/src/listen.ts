import type { Server } from 'node:http'

/** The port could not be had. The message says why and what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly code = 'listen_failed'
}

/** What a server was bound to. `host` as URLs have it. */
export type Bound = { readonly host: string; readonly port: number }

/** Gives a server its connections: by default those of a TCP port. */
export type Bind = (server: Server) => Promise<Bound>

export type ListenOptions = {
  readonly host?: string | undefined
  readonly port: number
  readonly bind?: Bind | undefined
}

/** Starts listening and answers with what was bound. Rejects with `ListenError`. */
export async function listen(server: Server, options: ListenOptions): Promise<Bound> {
  const { bind, host = '127.0.0.1', port } = options
  if (bind !== undefined) return bind(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(new ListenError(explain(cause, `${host}:${String(port)}`), { cause }))
    })
    server.listen(port, host, resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP server')
  return { host: address.family === 'IPv6' ? `[${host}]` : host, port: address.port }
}

function explain({ code, message }: NodeJS.ErrnoException, where: string): string {
  if (code === 'EADDRINUSE') {
    return `${where} is already in use: stop what listens there, or choose another port`
  }
  if (code === 'EACCES') return `${where} may not be used by this user: choose a port above 1023`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return `${where} is not an address of this machine: choose another host`
  }
  return `cannot listen on ${where}: ${message}`
}
