import type { Table } from '../report/table.ts'
import { compareRates, toRateText, toRatioTable, toSpreadText } from '../slices/compare-rates.ts'
import type { Slices } from '../slices/run-slices.ts'
import { summarize, type Summary } from '../slices/statistics.ts'

export type CallsResults = {
  readonly ratios: Readonly<Record<string, number>>
  readonly spread: Readonly<Record<string, Summary>>
  /** Requests a second, and how long they took. */
  readonly servers: Readonly<
    Record<string, { readonly perSecond: Summary; readonly p50Ms: number; readonly p99Ms: number }>
  >
}

/** Each ratio: whose rate, to whose. */
const RATIOS = {
  call_vs_trpc_standalone: ['deputy', 'trpc-standalone'],
  call_vs_trpc_fetch: ['deputy', 'trpc-fetch'],
  call_vs_trpc_fastify: ['deputy', 'trpc-fastify'],
  call_vs_orpc: ['deputy', 'orpc'],
  call_vs_connect: ['deputy', 'connect'],
  call_vs_grpc_js: ['deputy', 'grpc-js'],
  call_vs_fastify_jwt: ['deputy', 'fastify-jwt'],
  call_vs_mcp: ['deputy', 'mcp'],
  call_vs_a2a: ['deputy', 'a2a'],
  call_vs_bare: ['deputy', 'bare'],
  call_vs_unauthenticated: ['deputy', 'deputy-open'],
  api_key_vs_token: ['deputy-api-key', 'deputy'],
  cold_vs_unauthenticated: ['deputy-cold', 'deputy-open'],
  cold_vs_trpc_standalone: ['deputy-cold', 'trpc-standalone'],
  batch10_vs_unauthenticated: ['deputy-batch10', 'deputy-open-batch10'],
  batch10_vs_trpc_standalone: ['deputy-batch10', 'trpc-standalone-batch10'],
  call_1m_vs_1k: ['deputy-1m', 'deputy'],
} as const

/** Sums the slices up. Throws `TypeError` when those of a server are missing. */
export function toCallsResults(all: readonly Slices[]): CallsResults {
  const { rates, ratios, spread } = compareRates(all, RATIOS)
  const toServer = ({ name, reports }: Slices) => {
    const perSecond = rates[name]
    if (perSecond === undefined) throw new TypeError(`${name} was not measured`)
    const medianOf = (values: readonly number[]): number => summarize(values).median
    return {
      perSecond,
      p50Ms: medianOf(reports.map(({ p50Ms }) => p50Ms)),
      p99Ms: medianOf(reports.map(({ p99Ms }) => p99Ms)),
    }
  }
  const servers = Object.fromEntries(all.map((slices) => [slices.name, toServer(slices)]))
  return { ratios, spread, servers }
}

/** The rates, then the ratios. */
export function toCallsTables({ servers, spread }: CallsResults): readonly Table[] {
  return [
    [
      ['server', 'requests/s', 'p10 to p90', 'p50 ms', 'p99 ms'],
      ...Object.entries(servers).map(([name, { p50Ms, p99Ms, perSecond }]) => [
        name,
        toRateText(perSecond.median),
        toSpreadText(perSecond),
        p50Ms.toFixed(2),
        p99Ms.toFixed(2),
      ]),
    ],
    toRatioTable({ spread }),
  ]
}
