// Closed-loop load: each of a number of kept-alive connections sends its next request when its last
// one is answered. Written on bare sockets: undici and autocannon take more of the processor than
// some of the servers that are measured.
import { connect, type Socket } from 'node:net'
import { createAnswerReader } from './answer-reader.ts'

export type LoadOptions = {
  readonly port: number
  readonly connections: number
  /** Not counted: connections are being made and caches filled. */
  readonly rampMs: number
  readonly measureMs: number
  /** The next request, whole, as latin1 text. */
  readonly nextRequest: () => string
}

export type LoadResult = {
  /** Answers of status 200 that arrived in the measured time. */
  readonly answered: number
  /** Answers of any other status, ramp included, by status. */
  readonly refused: Readonly<Record<string, number>>
  readonly elapsedMs: number
  /** How long each counted answer took, in no order. */
  readonly latenciesMs: Float64Array
  /** Processor time of this process in the measured time. */
  readonly cpuMs: number
}

/** Sends load for a while. Rejects when a connection breaks. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { connections, measureMs, rampMs } = options
  const refused: Record<string, number> = {}
  const latenciesMs: number[] = []
  let phase: 'ramp' | 'measure' | 'over' = 'ramp'
  const failed = Promise.withResolvers<never>()

  const sockets = Array.from({ length: connections }, () => {
    const socket = connect({ port: options.port, host: '127.0.0.1', noDelay: true })
    const reader = createAnswerReader()
    let sentMs = 0
    const send = (): void => {
      sentMs = performance.now()
      socket.write(options.nextRequest(), 'latin1')
    }
    socket.on('connect', send)
    socket.on('data', (chunk) => {
      const answer = reader.read(chunk)
      if (answer === undefined) return
      if (answer.status !== 200) refused[answer.status] = (refused[answer.status] ?? 0) + 1
      else if (phase === 'measure') latenciesMs.push(performance.now() - sentMs)
      if (phase === 'over') socket.destroy()
      else send()
    })
    socket.on('error', failed.reject)
    socket.on('end', () => failed.reject(new Error('the server closed a connection under load')))
    return socket
  })

  await Promise.race([delay(rampMs), failed.promise])
  const cpuBefore = process.cpuUsage()
  const startMs = performance.now()
  phase = 'measure'
  await Promise.race([delay(measureMs), failed.promise])
  phase = 'over'
  const elapsedMs = performance.now() - startMs
  const { system, user } = process.cpuUsage(cpuBefore)
  const result = {
    answered: latenciesMs.length,
    refused,
    elapsedMs,
    latenciesMs: Float64Array.from(latenciesMs),
    cpuMs: (user + system) / 1000,
  }
  // What is under way is answered first, so that the next slice finds every server idle.
  await Promise.race([Promise.all(sockets.map(whenClosed)), failed.promise])
  return result
}

async function whenClosed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
}

async function delay(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}
