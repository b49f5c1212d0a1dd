import type { Table } from '../report/table.ts'
import { compareRates, toRateText, toRatioTable, toSpreadText } from '../slices/compare-rates.ts'
import type { Slices } from '../slices/run-slices.ts'
import type { Summary } from '../slices/statistics.ts'
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
  const { rates, ratios, spread } = compareRates(all, RATIOS)
  const deputy = connections['deputy']
  if (deputy === undefined) throw new TypeError('connections of deputy were not measured')
  return {
    ratios: {
      ...ratios,
      // The larger of the two: what the system sees has what is not on the heap as well.
      kib_per_connection: Math.max(deputy.rssKib, deputy.heapKib),
    },
    spread,
    servers: rates,
    connections,
  }
}

/** The rates, the ratios, and what a connection takes up. */
export function toWebSocketTables({
  connections,
  servers,
  spread,
}: WebSocketResults): readonly Table[] {
  return [
    [
      ['server', 'per second', 'p10 to p90'],
      ...Object.entries(servers).map(([name, perSecond]) => [
        name,
        toRateText(perSecond.median),
        toSpreadText(perSecond),
      ]),
    ],
    toRatioTable({ spread }),
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
