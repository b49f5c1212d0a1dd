// What goes out on one socket, and when to stop producing: bytes that a peer does not read stay in the memory of
// whoever sent them.
import { CLOSE_CODE } from '@deputy/auth/protocol'
import { nextTick } from 'node:process'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { toTextFrame } from './text-frame.ts'
import type { WebSocketLimits } from './web-socket-limits.ts'

export type Outbox = {
  /**
   * Sends, or drops the text when the socket is closing. Small texts of the same turn leave in one write: the system's
   * share of a small message is larger than ours.
   */
  send(text: string): void
  /** Writes what was sent so far. Called before the socket is closed. */
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
export type OpenSocket = { readonly socket: WebSocket; readonly stream: Duplex }

export type OutboxOptions = Pick<WebSocketLimits, 'highWaterMarkBytes' | 'slowReaderTimeoutMs'> & {
  /** Told when the peer has read so much that it is no longer congested. */
  readonly onRead?: (() => void) | undefined
}

/** Creates the outbox of a socket. */
export function createOutbox(
  { socket, stream }: OpenSocket,
  { highWaterMarkBytes, onRead, slowReaderTimeoutMs }: OutboxOptions,
): Outbox {
  let waiting: (() => void)[] = []
  /** Frames of this turn, a byte a character. */
  let together = ''
  let isFlushing = false
  let isCongested = false
  let timer: ReturnType<typeof setTimeout> | undefined

  function congest(): void {
    isCongested = true
    socket.pause()
    timer = setTimeout(() => {
      closeSocket(socket, CLOSE_CODE.slowReader, 'what was sent was not read')
    }, slowReaderTimeoutMs).unref()
  }

  function clear(): void {
    isCongested = false
    clearTimeout(timer)
    socket.resume()
    const resolves = waiting
    waiting = []
    for (const resolve of resolves) resolve()
  }

  function onFlushed(): void {
    if (!isCongested || stream.writableLength > highWaterMarkBytes / 2) return
    onRead?.()
    clear()
  }

  function write(frame: string | Buffer): void {
    if (!stream.writable) return
    // Told only of what may be too much.
    const mayCongest = stream.writableLength + frame.length > highWaterMarkBytes / 2
    stream.write(frame, 'latin1', mayCongest ? onFlushed : undefined)
    if (!isCongested && stream.writableLength > highWaterMarkBytes) congest()
  }

  function flush(): void {
    if (together === '') return
    const frames = together
    together = ''
    write(frames)
  }

  function flushTurn(): void {
    isFlushing = false
    flush()
  }

  return {
    send(text) {
      if (socket.readyState !== socket.OPEN) return
      const frame = toTextFrame(text)
      if (typeof frame !== 'string' || together.length + frame.length > MAX_TOGETHER_BYTES) flush()
      if (typeof frame !== 'string' || frame.length > MAX_TOGETHER_BYTES) {
        write(frame)
        return
      }
      together += frame
      if (isFlushing) return
      isFlushing = true
      nextTick(flushTurn)
    },
    flush,
    get isOpen() {
      return socket.readyState === socket.OPEN
    },
    get isCongested() {
      return isCongested
    },
    async whenClear() {
      if (!isCongested) return
      await new Promise<void>((resolve) => waiting.push(resolve))
    },
    close() {
      if (isCongested) clear()
    },
  }
}

/** Closes a socket, and cuts it if the peer does not answer. Nothing to do for one that is closing. */
export function closeSocket(socket: WebSocket, code: number, reason: string): void {
  if (socket.readyState !== socket.OPEN) return
  // What is not read cannot be answered, and a close is read like any message.
  socket.resume()
  socket.close(code, reason)
  cutLater(socket)
}

/** Cuts a socket whose last words are out, with time for the peer to hear them. */
export function cutLater(socket: WebSocket): void {
  setTimeout(() => {
    socket.terminate()
  }, CLOSE_TIMEOUT_MS).unref()
}
