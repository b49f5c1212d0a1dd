// A network in memory: hosts by name, each a real server of `node:http` that gets its connections here
// in place of a port. What stands between a request and its server (faults) stands here.
import type { Clock } from '@deputy/auth/protocol'
import type { Bind } from '@deputy/serve'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { Agent } from 'undici'
import { MemorySocket } from './memory-socket.ts'

/** Between a party, by its id, and a host. */
export type Connection = { readonly from: string; readonly to: string }

/** One request on its way to a server. */
export type Passing = Connection & {
  readonly path: string
  readonly socket: MemorySocket
}

type Answer = {
  readonly act: 'answer'
  readonly status: number
  readonly headers: Record<string, string>
}

/** What becomes of a request on its way. */
export type Verdict =
  | { readonly act: 'pass' }
  | { readonly act: 'reset' }
  | Answer
  /** Goes on, or is reset, when that is called. */
  | { readonly act: 'hold'; readonly until: (release: () => void, reset: () => void) => void }

/** Decides for each request. */
export type Gate = (request: Passing) => Verdict

type SocketInit = NonNullable<ConstructorParameters<typeof WebSocket>[1]>

/** How one party reaches the others. */
export type Reach = AsyncDisposable & {
  readonly fetch: typeof fetch
  readonly WebSocket: typeof WebSocket
}

export type MemoryNetwork = {
  /** Where a server of this host's gets its connections from. Its answers are dated by its own clock. */
  bind(host: string, clock: Clock): Bind
  /** Opens a party's way out. */
  reach(from: string): Reach
  /** Ends connections that are open. */
  cut(is: (connection: Connection) => boolean): void
}

export type MemoryNetworkOptions = {
  readonly gate: Gate
  /** Whether a connection can be made at all. */
  readonly isReachable: (connection: Connection) => boolean
}

/** Creates a network without hosts. */
export function createMemoryNetwork({ gate, isReachable }: MemoryNetworkOptions): MemoryNetwork {
  const servers = new Map<string, Server>()
  const connections = new Map<MemorySocket, Connection>()

  function connect(from: string, to: string): MemorySocket | undefined {
    const server = servers.get(to)
    if (server === undefined || !isReachable({ from, to })) return undefined
    const pair = MemorySocket.pair(from)
    connections.set(pair.server, { from, to })
    pair.server.once('close', () => connections.delete(pair.server))
    // > This event can also be explicitly emitted by users to inject connections into the HTTP
    // > server. In that case, any Duplex stream can be passed. (node:http, event 'connection')
    server.emit('connection', pair.server)
    return pair.client
  }

  /** Carries out what the gate says of a request; `pass` hands it to the server. */
  function carryOut(passing: Passing, pass: () => void, answer: (verdict: Answer) => void): void {
    const verdict = gate(passing)
    if (verdict.act === 'pass') pass()
    else if (verdict.act === 'reset') passing.socket.reset()
    else if (verdict.act === 'answer') answer(verdict)
    else verdict.until(pass, () => passing.socket.reset())
  }

  /** Puts the gate before whatever listens. */
  function guard(server: Server, to: string, clock: Clock): void {
    const handle = take(server, 'request')
    server.on('request', (req: IncomingMessage, res: ServerResponse) => {
      const pass = (): void => {
        res.setHeader('date', new Date(clock.now() * 1000).toUTCString())
        handle(req, res)
      }
      carryOut(toPassing(req, to), pass, ({ headers, status }) => {
        req.resume()
        res.writeHead(status, headers)
        res.end()
      })
    })
    const upgrade = take(server, 'upgrade')
    server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
      const pass = (): void => upgrade(req, socket, head)
      carryOut(toPassing(req, to), pass, ({ status }) => {
        socket.end(`HTTP/1.1 ${String(status)} Fault\r\ncontent-length: 0\r\n\r\n`)
      })
    })
  }

  return {
    bind: (host, clock) => async (server) => {
      guard(server, host, clock)
      servers.set(host, server)
      server.once('close', () => servers.delete(host))
      // Node's server begins to keep its list of connections, which a drain closes, with this event.
      server.emit('listening')
      return { host, port: 443 }
    },

    reach(from) {
      const agent = new Agent({
        connect: ({ hostname }, done) => {
          // Later, as undici expects of a network.
          queueMicrotask(() => {
            const socket = connect(from, hostname)
            if (socket === undefined) {
              const text = `connect ECONNREFUSED ${hostname}`
              done(Object.assign(new Error(text), { code: 'ECONNREFUSED' }), null)
              return
            }
            // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- undici needs no more of a socket than a Duplex has
            done(null, socket as never)
          })
        },
      })
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- @types/node has the types of another patch of undici
      const dispatcher = agent as unknown as NonNullable<RequestInit['dispatcher']>
      return {
        fetch: async (input, init) => fetch(input, { ...init, dispatcher }),
        WebSocket: class extends WebSocket {
          constructor(url: string | URL, init: SocketInit = {}) {
            const isList = typeof init === 'string' || Array.isArray(init)
            super(url, { ...(isList ? { protocols: init } : init), dispatcher })
          }
        },
        [Symbol.asyncDispose]: async () => agent.destroy(),
      }
    },

    cut(is) {
      for (const [socket, ends] of connections) if (is(ends)) socket.reset()
    },
  }
}

function toPassing({ socket, url = '/' }: IncomingMessage, to: string): Passing {
  const own: Duplex = socket
  if (!(own instanceof MemorySocket)) throw new TypeError('a connection that was not made here')
  const mark = url.indexOf('?')
  return { from: own.from, to, path: mark === -1 ? url : url.slice(0, mark), socket: own }
}

/** Takes the listeners of an event off; answers what calls them. */
function take(server: Server, event: 'request' | 'upgrade'): (...values: unknown[]) => void {
  const listeners = server.listeners(event)
  server.removeAllListeners(event)
  return (...values) => {
    for (const listener of listeners) Reflect.apply(listener, server, values)
  }
}
