// What goes out on one socket, and when to stop producing: bytes that a peer does not read stay in the memory of
// whoever sent them.
import { CLOSE_CODE } from '@deputy/auth/protocol'
import type { Duplex } from 'node:stream'
import { writeTogether } from '../write-together.ts'
import type { AgentWebSocket } from './agent-web-socket.ts'
import { toTextFrame } from './text-frame.ts'
import type { WebSocketLimits } from './web-socket-limits.ts'

export type Outbox = {
  /**
   * Sends, or drops the text when the socket is closing. Small texts leave at the end of the event loop's turn, those
   * of one connection in one write, right after those of the others: the system's share of a small message is larger
   * than ours, and writes back to back cost a fraction of one between each call's work (ADR 0040).
   */
  send(text: string): void
  /** Writes what was sent so far. The socket does it by itself before it says that it closes. */
  flush(): void
  /** Whether the socket still takes anything. */
  readonly isOpen: boolean
  /** Whether more bytes wait than should. Then nothing is read either: no new work for who does not read. */
  readonly isCongested: boolean
  /** Resolves when it is no longer congested, or when the socket is closed. */
  whenClear(): Promise<void>
  /** Called when the socket is closed. */
  close(): void
}

/** How long a peer may take to answer a close before its socket is cut. */
export const CLOSE_TIMEOUT_MS = 1000

/** As many bytes are put together for one write. */
const MAX_TOGETHER_BYTES = 16 * 1024

/** A WebSocket, and what it was made of. */
export type OpenSocket = { readonly socket: AgentWebSocket; readonly stream: Duplex }

export type OutboxOptions = Pick<WebSocketLimits, 'highWaterMarkBytes' | 'slowReaderTimeoutMs'> & {
  /** Told when the peer has read so much that it is no longer congested. */
  readonly onRead?: (() => void) | undefined
}

/** Creates the outbox of a socket. */
export function createOutbox(open: OpenSocket, options: OutboxOptions): Outbox {
  return new SocketOutbox(open, options)
}

/** A class: there is one for each connection, and closures would be most of what an idle one takes up. */
class SocketOutbox implements Outbox {
  readonly #open: OpenSocket
  readonly #options: OutboxOptions
  #waiting: (() => void)[] = []
  #isCongested = false
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Frames of this turn, a byte a character. */
  #together = ''
  #isFlushing = false

  constructor(open: OpenSocket, options: OutboxOptions) {
    this.#open = open
    this.#options = options
    open.socket.outbox = this
  }

  get isOpen(): boolean {
    const { socket } = this.#open
    return socket.readyState === socket.OPEN
  }

  get isCongested(): boolean {
    return this.#isCongested
  }

  send(text: string): void {
    if (!this.isOpen) return
    const frame = toTextFrame(text)
    const most = Math.min(MAX_TOGETHER_BYTES, this.#options.highWaterMarkBytes)
    const isSmall = typeof frame === 'string' && frame.length <= most
    if (!isSmall || this.#together.length + frame.length > most) this.flush()
    if (!isSmall) {
      this.#write(frame)
      return
    }
    this.#together += frame
    if (this.#isFlushing) return
    this.#isFlushing = true
    writeTogether(() => {
      this.#isFlushing = false
      this.flush()
    })
  }

  flush(): void {
    if (this.#together === '') return
    const frames = this.#together
    this.#together = ''
    // > An endpoint MUST NOT send any more data frames after sending a Close frame (RFC 6455 §5.5.1)
    if (this.isOpen) this.#write(frames)
  }

  async whenClear(): Promise<void> {
    if (!this.#isCongested) return
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  close(): void {
    if (this.#isCongested) this.#clear()
  }

  #write(frame: string | Buffer): void {
    const { stream } = this.#open
    const { highWaterMarkBytes } = this.#options
    if (!stream.writable) return
    // Told only of what may be too much.
    const mayCongest = stream.writableLength + frame.length > highWaterMarkBytes / 2
    if (mayCongest) {
      stream.write(frame, 'latin1', () => {
        this.#onFlushed()
      })
    } else stream.write(frame, 'latin1')
    if (!this.#isCongested && stream.writableLength > highWaterMarkBytes) this.#congest()
  }

  #congest(): void {
    const { socket } = this.#open
    this.#isCongested = true
    socket.pause()
    this.#timer = setTimeout(() => {
      closeSocket(socket, CLOSE_CODE.slowReader, 'what was sent was not read')
    }, this.#options.slowReaderTimeoutMs).unref()
  }

  #onFlushed(): void {
    const isRead = this.#open.stream.writableLength <= this.#options.highWaterMarkBytes / 2
    if (!this.#isCongested || !isRead) return
    this.#options.onRead?.()
    this.#clear()
  }

  #clear(): void {
    this.#isCongested = false
    clearTimeout(this.#timer)
    this.#open.socket.resume()
    const resolves = this.#waiting
    this.#waiting = []
    for (const resolve of resolves) resolve()
  }
}

/** Closes a socket, and cuts it if the peer does not answer. Nothing to do for one that is closing. */
export function closeSocket(socket: AgentWebSocket, code: number, reason: string): void {
  if (socket.readyState !== socket.OPEN) return
  // What is not read cannot be answered, and a close is read like any message.
  socket.resume()
  socket.close(code, reason)
  cutLater(socket)
}

/** Cuts a socket whose last words are out, with time for the peer to hear them. */
export function cutLater(socket: AgentWebSocket): void {
  setTimeout(() => {
    socket.terminate()
  }, CLOSE_TIMEOUT_MS).unref()
}
