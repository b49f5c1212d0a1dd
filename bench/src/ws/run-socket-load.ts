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
    let sentMs = 0
    const send = (): void => {
      id += 1
      sentMs = performance.now()
      connection.send(toMessage(request, id))
    }
    const connection = openSocket({
      port,
      headers: [`Authorization: Bearer ${nextToken()}`],
      onOpen: send,
      onError: failed.reject,
      onText(text) {
        if (text.includes(refused)) throw new Error(`refused: ${text.toString()}`)
        if (sample === '' && text.includes('"data"')) sample = text.toString()
        if (!text.includes(end)) return
        answeredInAll += request.counts
        if (phase === 'measure') latenciesMs.push(performance.now() - sentMs)
        if (phase === 'over') connection.close()
        else send()
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
      p50Ms: findQuantile(latenciesMs, 0.5),
      p99Ms: findQuantile(latenciesMs, 0.99),
      cpuMs: (used.user + used.system) / 1000,
      sample,
    }
  } finally {
    for (const { close } of sockets) close()
  }
}
