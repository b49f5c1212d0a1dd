// Two ends of a connection in memory. What one writes the other reads, no faster than it reads; an end
// that is destroyed is closed for the other too, as with TCP.
import { Duplex } from 'node:stream'

export class MemorySocket extends Duplex {
  /** What servers ask about a connection: every caller seems to be on this machine. */
  readonly remoteAddress = '127.0.0.1'
  /** Who opened the connection. */
  readonly from: string
  #peer: MemorySocket | undefined
  /** Of a write of the peer's, when this end could not take more. */
  #takeMore: (() => void) | undefined
  #isSilent = false

  private constructor(from: string, options: { allowHalfOpen: boolean }) {
    super(options)
    this.from = from
  }

  /** Makes both ends. */
  static pair(from: string): { client: MemorySocket; server: MemorySocket } {
    const client = new MemorySocket(from, { allowHalfOpen: false })
    // Node's HTTP server closes its half by itself.
    const server = new MemorySocket(from, { allowHalfOpen: true })
    client.#peer = server
    server.#peer = client
    return { client, server }
  }

  /** Loses what is written from now on, without a word: a cable that was pulled. */
  silence(): void {
    this.#isSilent = true
  }

  /** Ends the connection for both sides, as when a machine goes down. */
  reset(): void {
    const peer = this.#peer
    this.destroy()
    peer?.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
  }

  override _read(): void {
    const takeMore = this.#takeMore
    this.#takeMore = undefined
    takeMore?.()
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    const peer = this.#peer
    if (this.#isSilent) done()
    else if (peer === undefined || peer.destroyed || peer.readableEnded) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    } else if (peer.push(chunk)) done()
    else peer.#takeMore = done
  }

  override _final(done: () => void): void {
    this.#endPeer()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this._read()
    this.#endPeer()
    done(error)
  }

  #endPeer(): void {
    const peer = this.#peer
    if (peer !== undefined && !peer.destroyed && !this.#isSilent) peer.push(null)
  }
}
