// A WebSocket (RFC 6455) on a bare socket: as little as a load generator needs, so that the processor is left to the
// server under test.
import { connect, type Socket } from 'node:net'

export type BareWebSocket = {
  readonly socket: Socket
  /** Sends a text. */
  send(text: string): void
  /** Cuts the connection. */
  close(): void
}

export type OpenSocketOptions = {
  readonly port: number
  /** Whole header fields beside those of the handshake. */
  readonly headers: readonly string[]
  readonly onOpen: () => void
  /** Told of each text that comes. It is good until the function returns. */
  readonly onText: (text: Buffer) => void
  readonly onError: (error: Error) => void
}

const HEAD_END = Buffer.from('\r\n\r\n')
const TEXT_FRAME = 0x81
const PING = 0x89
const PONG = 0x8a
const CLOSE = 0x88

/** Opens one. */
export function openSocket(options: OpenSocketOptions): BareWebSocket {
  const { headers, onError, onOpen, onText, port } = options
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let pending: Buffer = Buffer.alloc(0)
  let isOpen = false

  function readHead(): boolean {
    const end = pending.indexOf(HEAD_END)
    if (end < 0) return false
    const status = pending.toString('latin1', 9, 12)
    if (status !== '101') throw new Error(`the handshake was answered with ${status}`)
    pending = pending.subarray(end + HEAD_END.length)
    isOpen = true
    onOpen()
    return true
  }

  /** Takes one frame off what is pending. Answers whether a whole one was there. */
  function readFrame(): boolean {
    const [first, second] = pending
    if (first === undefined || second === undefined) return false
    let start = 2
    let length = second
    if (second === 126) {
      if (pending.length < 4) return false
      length = pending.readUInt16BE(2)
      start = 4
    } else if (second === 127) throw new Error('a frame was larger than any that was asked for')
    const end = start + length
    if (pending.length < end) return false
    const payload = pending.subarray(start, end)
    pending = pending.subarray(end)
    if (first === TEXT_FRAME) onText(payload)
    else if (first === PING) socket.write(frame(PONG, payload))
    else if (first === CLOSE) {
      const code = payload.length < 2 ? 1005 : payload.readUInt16BE(0)
      throw new Error(`closed with ${String(code)} ${payload.toString('utf8', 2)}`)
    }
    return true
  }

  socket.on('connect', () => {
    const fields = [
      'GET /trpc HTTP/1.1',
      `Host: 127.0.0.1:${String(port)}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==',
      ...headers,
    ]
    socket.write(`${fields.join('\r\n')}\r\n\r\n`)
  })
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    try {
      if (!isOpen && !readHead()) return
      while (readFrame());
    } catch (error) {
      socket.destroy()
      onError(error instanceof Error ? error : new Error(String(error)))
    }
  })
  socket.on('error', onError)

  return {
    socket,
    send: (text) => {
      socket.write(frame(TEXT_FRAME, Buffer.from(text)))
    },
    close: () => {
      socket.destroy()
    },
  }
}

/** A masked frame (§5.3). The mask is zero: what it hides from proxies is not hidden from loopback. */
function frame(first: number, payload: Buffer): Buffer {
  const head =
    payload.length < 126
      ? Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0])
      : Buffer.from([first, 0x80 | 126, payload.length >> 8, payload.length & 0xff, 0, 0, 0, 0])
  return Buffer.concat([head, payload])
}
