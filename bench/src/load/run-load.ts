// Closed-loop load: each of a number of kept-alive connections sends its next request when its last
// one is answered. Written on bare sockets: undici and autocannon take more of the processor than
// some of the servers that are measured.
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Answer } from './answer-reader.ts'
import { openWire } from './open-wire.ts'
import type { WireProtocol } from './wire.ts'

export type LoadOptions = {
  readonly port: number
  readonly connections: number
  /** Not counted: connections are being made and caches filled. */
  readonly rampMs: number
  readonly measureMs: number
  /** The next request, whole, as latin1 text. */
  readonly nextRequest: () => string
  /** What is spoken. Default: HTTP/1.1. */
  readonly protocol?: WireProtocol | undefined
  /** Called when the measured time begins and when it ends. */
  readonly onPhase?: (phase: 'begun' | 'ended') => void
}

export type LoadResult = {
  /** How long each answer of status 200 took that arrived in the measured time, in no order. */
  readonly latenciesMs: readonly number[]
  readonly elapsedMs: number
  /** Answers by status, those before and after the measured time included. */
  readonly byStatus: Readonly<Record<string, number>>
  /** The last answer of status 200. */
  readonly last: Answer | undefined
}

/** Sends load for a while. Rejects when a connection breaks. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { nextRequest, onPhase = () => {}, port, protocol = 'http' } = options
  const byStatus: Record<string, number> = {}
  const latenciesMs: number[] = []
  let last: Answer | undefined
  let phase: 'ramp' | 'measure' | 'over' = 'ramp'
  const failed = Promise.withResolvers<never>()

  function take(answer: Answer, sentMs: number): void {
    byStatus[answer.status] = (byStatus[answer.status] ?? 0) + 1
    if (answer.status !== 200) return
    last = answer
    if (phase === 'measure') latenciesMs.push(performance.now() - sentMs)
  }

  function open(): Socket {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const wire = openWire(protocol, socket)
    let sentMs = 0
    const send = (): void => {
      sentMs = performance.now()
      wire.send(nextRequest())
    }
    socket.on('connect', send)
    socket.on('data', (chunk) => {
      try {
        const answer = wire.read(chunk)
        if (answer === undefined) return
        take(answer, sentMs)
        if (phase === 'over') socket.destroy()
        else send()
      } catch (error) {
        failed.reject(error)
      }
    })
    socket.on('error', failed.reject)
    socket.on('end', () => failed.reject(new Error('the server closed a connection under load')))
    return socket
  }

  const sockets = Array.from({ length: options.connections }, open)
  try {
    await Promise.race([delay(options.rampMs), failed.promise])
    onPhase('begun')
    const startMs = performance.now()
    phase = 'measure'
    await Promise.race([delay(options.measureMs), failed.promise])
    phase = 'over'
    const elapsedMs = performance.now() - startMs
    onPhase('ended')
    // What is under way is answered first, so that the next slice finds every server idle.
    await Promise.race([Promise.all(sockets.map(whenClosed)), failed.promise])
    return { latenciesMs, elapsedMs, byStatus, last }
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}

async function whenClosed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
}
