// What goes out on one socket, and when to stop producing: bytes that a peer does not read stay in the memory of
// whoever sent them.
import { CLOSE_CODE } from '@deputy/auth/protocol'
import type { WebSocket } from 'ws'
import type { WebSocketLimits } from './web-socket-limits.ts'

export type Outbox = {
  /** Sends, or drops the text when the socket is closing. */
  send(text: string): void
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

export type OutboxOptions = Pick<WebSocketLimits, 'highWaterMarkBytes' | 'slowReaderTimeoutMs'> & {
  /** Told when the peer has read so much that it is no longer congested. */
  readonly onRead?: (() => void) | undefined
}

/** Creates the outbox of a socket. */
export function createOutbox(
  socket: WebSocket,
  { highWaterMarkBytes, onRead, slowReaderTimeoutMs }: OutboxOptions,
): Outbox {
  let waiting: (() => void)[] = []
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
    if (!isCongested || socket.bufferedAmount > highWaterMarkBytes / 2) return
    onRead?.()
    clear()
  }

  return {
    send(text) {
      if (socket.readyState !== socket.OPEN) return
      socket.send(text, onFlushed)
      if (!isCongested && socket.bufferedAmount > highWaterMarkBytes) congest()
    },
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
