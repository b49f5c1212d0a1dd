import { connect } from 'node:net'
import { WebSocket } from 'ws'

/** Writes bytes to a port as they are and answers with all that came back until the other side closed. */
export async function exchangeBytes(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.setEncoding('utf8')
    socket.on('data', (data: string) => {
      answer += data
    })
    socket.once('error', reject)
    socket.once('close', () => {
      resolve(answer)
    })
  })
}

/** A WebSocket on which a test says what it likes, message by message. */
export async function openWebSocket(url: string, headers: Record<string, string> = {}) {
  const socket = new WebSocket(url, { headers })
  const messages: unknown[] = []
  let arrived = Promise.withResolvers<void>()
  const closed = new Promise<number>((resolve) => socket.once('close', resolve))
  socket.on('message', (data: Buffer) => {
    const text = data.toString()
    messages.push(text === 'PING' || text === 'PONG' ? text : JSON.parse(text))
    arrived.resolve()
    arrived = Promise.withResolvers()
  })
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => undefined)
  return {
    socket,
    /** The close code, once the socket is closed. */
    closed,
    messages,
    send: (message: unknown) => {
      socket.send(typeof message === 'string' ? message : JSON.stringify(message))
    },
    /** Waits until the message at this place has come, and answers with it. */
    async message(at: number): Promise<unknown> {
      while (messages.length <= at) await arrived.promise
      return messages[at]
    },
    [Symbol.asyncDispose]: async () => {
      socket.terminate()
      await closed
    },
  }
}
