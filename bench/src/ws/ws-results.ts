import type { Table } from '../report/table.ts'
import type { Slices } from '../slices/run-slices.ts'
import { summarize, summarizeRatio, type Summary } from '../slices/statistics.ts'
import type { ConnectionCost } from './measure-connections.ts'

export type WebSocketResults = {
  readonly ratios: Readonly<Record<string, number>>
  readonly spread: Readonly<Record<string, Summary>>
  /** Calls or messages a second. */
  readonly servers: Readonly<Record<string, Summary>>
  /** Of an idle connection with a subscription, by server. */
  readonly connections: Readonly<Record<string, ConnectionCost>>
}

/** Each ratio: whose rate, to whose. */
const RATIOS = {
  ws_call_vs_trpc: ['deputy-call', 'trpc-call'],
  ws_8_calls_vs_trpc: ['deputy-calls', 'trpc-calls'],
  ws_message_vs_trpc: ['deputy-stream', 'trpc-stream'],
} as const

/** Sums the slices up. Throws `TypeError` when those of a server are missing. */
export function toWebSocketResults(
  all: readonly Slices[],
  connections: Readonly<Record<string, ConnectionCost>>,
): WebSocketResults {
  const rates = new Map(
    all.map(({ name, reports }) => [
      name,
      reports.map(({ answered, elapsedMs }) => (answered / elapsedMs) * 1000),
    ]),
  )
  const ratesOf = (name: string): readonly number[] => {
    const found = rates.get(name)
    if (found === undefined) throw new TypeError(`${name} was not measured`)
    return found
  }
  const spread = Object.fromEntries(
    Object.entries(RATIOS).map(([name, [of, to]]) => [
      name,
      summarizeRatio(ratesOf(of), ratesOf(to)),
    ]),
  )
  const deputy = connections['deputy']
  if (deputy === undefined) throw new TypeError('connections of deputy were not measured')
  return {
    ratios: {
      ...Object.fromEntries(Object.entries(spread).map(([name, { median }]) => [name, median])),
      // The larger of the two: what the system sees has what is not on the heap as well.
      kib_per_connection: Math.max(deputy.rssKib, deputy.heapKib),
    },
    spread,
    servers: Object.fromEntries([...rates].map(([name, values]) => [name, summarize(values)])),
    connections,
  }
}

/** The rates, the ratios, and what a connection takes up. */
export function toWebSocketTables({
  connections,
  servers,
  spread,
}: WebSocketResults): readonly Table[] {
  const rate = (value: number): string => Math.round(value).toLocaleString('en')
  return [
    [
      ['server', 'per second', 'p10 to p90'],
      ...Object.entries(servers).map(([name, { median, p10, p90 }]) => [
        name,
        rate(median),
        `${rate(p10)} to ${rate(p90)}`,
      ]),
    ],
    [
      ['ratio', 'median', 'p10 to p90'],
      ...Object.entries(spread).map(([name, { median, p10, p90 }]) => [
        name,
        median.toFixed(2),
        `${p10.toFixed(2)} to ${p90.toFixed(2)}`,
      ]),
    ],
    [
      ['idle connection', 'KiB of RSS', 'KiB alive'],
      ...Object.entries(connections).map(([name, { heapKib, rssKib }]) => [
        name,
        rssKib.toFixed(1),
        heapKib.toFixed(1),
      ]),
    ],
  ]
}
