import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** A connection on which bytes are written as they are. */
export type RawConnection = AsyncDisposable & {
  readonly socket: Socket
  write(bytes: string | Uint8Array): void
  /** All that has come so far. */
  readonly text: string
  /** Waits until this has come. Rejects when the connection is closed without it. */
  until(part: string | RegExp): Promise<string>
  /** All that came, once the other side has closed. */
  readonly closed: Promise<string>
}

/** Opens one. It never closes its own half unless it is told to. */
export async function openRaw(port: number, bytes = ''): Promise<RawConnection> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let text = ''
  let arrived = Promise.withResolvers<void>()
  let isOver = false
  const over = (): void => {
    isOver = true
    arrived.resolve()
  }
  socket.setEncoding('latin1')
  socket.on('data', (data: string) => {
    text += data
    arrived.resolve()
    arrived = Promise.withResolvers()
  })
  socket.on('error', over).on('end', over).on('close', over)
  const closed = new Promise<string>((resolve) => {
    const done = (): void => {
      resolve(text)
    }
    socket.once('end', done).once('error', done).once('close', done)
  })
  await once(socket, 'connect')
  if (bytes !== '') socket.write(bytes)
  return {
    socket,
    write: (more) => void socket.write(more),
    get text() {
      return text
    },
    async until(part) {
      const isThere = (): boolean =>
        typeof part === 'string' ? text.includes(part) : part.test(text)
      while (!isThere()) {
        if (isOver) throw new Error(`closed before ${String(part)} came: ${text.slice(0, 500)}`)
        await arrived.promise
      }
      return text
    },
    closed,
    async [Symbol.asyncDispose]() {
      if (socket.destroyed) return
      socket.destroy()
      await once(socket, 'close')
    },
  }
}

/** The bytes of a request. */
export function toRequest(
  target: string,
  headers: Readonly<Record<string, string>> = {},
  options: { readonly method?: string; readonly body?: string } = {},
): string {
  const { body = '', method = 'GET' } = options
  const fields = Object.entries({ host: 'agent.example', ...headers })
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

/** What the body of the first answer says, as JSON. */
export function readBody(answer: string): unknown {
  const [, body = ''] = answer.split('\r\n\r\n', 2)
  return JSON.parse(body)
}
