// Closed-loop load over WebSockets: each connection sends its next request when its last one has ended.
import { setTimeout as delay } from 'node:timers/promises'
import type { LoadReport } from '../load/load-plan.ts'
import { findQuantile } from '../slices/statistics.ts'
import { openSocket } from './open-socket.ts'
import { toMessage, type WebSocketRequest } from './scenario.ts'

export type SocketLoadOptions = {
  readonly port: number
  readonly request: WebSocketRequest
  readonly connections: number
  readonly rampMs: number
  readonly measureMs: number
  /** The token of the next connection. */
  readonly nextToken: () => string
}

/** Where the id stands in an answer: `{"id":1,…`. */
const ID_START = 6

/** Sends load for a while. Rejects when a connection breaks, and when an answer is an error. */
export async function runSocketLoad(options: SocketLoadOptions): Promise<LoadReport> {
  const { connections, measureMs, nextToken, port, rampMs, request } = options
  const end = Buffer.from(request.end)
  const refused = Buffer.from('"error":')
  const latenciesMs: number[] = []
  const failed = Promise.withResolvers<never>()
  let phase: 'ramp' | 'measure' | 'over' = 'ramp'
  let answeredInAll = 0
  let sample = ''

  function open() {
    let id = 0
    let underWay = request.atOnce
    const send = (): void => {
      id += 1
      sentMs.set(id, performance.now())
      connection.send(toMessage(request, id))
    }
    const sentMs = new Map<number, number>()
    const connection = openSocket({
      port,
      headers: [`Authorization: Bearer ${nextToken()}`],
      onOpen() {
        for (let at = 0; at < request.atOnce; at += 1) send()
      },
      onError: failed.reject,
      onText(text) {
        if (text.includes(refused)) throw new Error(`refused: ${text.toString()}`)
        if (sample === '' && text.includes('"data"')) sample = text.toString()
        if (!text.includes(end)) return
        const answered = Number.parseInt(text.toString('latin1', ID_START, ID_START + 12), 10)
        const beganMs = sentMs.get(answered)
        if (beganMs === undefined) throw new Error(`nobody asked: ${text.toString()}`)
        sentMs.delete(answered)
        answeredInAll += request.counts
        if (phase === 'measure') latenciesMs.push(performance.now() - beganMs)
        if (phase !== 'over') send()
        else if ((underWay -= 1) === 0) connection.close()
      },
    })
    const closed = new Promise((resolve) => connection.socket.once('close', resolve))
    return { ...connection, closed }
  }

  const sockets = Array.from({ length: connections }, open)
  try {
    await Promise.race([delay(rampMs), failed.promise])
    const cpu = process.cpuUsage()
    const startMs = performance.now()
    phase = 'measure'
    await Promise.race([delay(measureMs), failed.promise])
    phase = 'over'
    const elapsedMs = performance.now() - startMs
    const used = process.cpuUsage(cpu)
    await Promise.race([Promise.all(sockets.map(async ({ closed }) => closed)), failed.promise])
    return {
      answered: latenciesMs.length * request.counts,
      answeredInAll,
      refused: {},
      elapsedMs,
      p50Ms: latenciesMs.length > 0 ? findQuantile(latenciesMs, 0.5) : Number.NaN,
      p99Ms: latenciesMs.length > 0 ? findQuantile(latenciesMs, 0.99) : Number.NaN,
      cpuMs: (used.user + used.system) / 1000,
      sample,
    }
  } finally {
    for (const socket of sockets) socket.close()
  }
}
