import type { Table } from '../report/table.ts'
import type { Slices } from '../slices/run-slices.ts'
import { summarize, summarizeRatio, type Summary } from '../slices/statistics.ts'

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
  call_vs_fastify_jwt: ['deputy', 'fastify-jwt'],
  call_vs_mcp: ['deputy', 'mcp'],
  call_vs_a2a: ['deputy', 'a2a'],
  call_vs_bare: ['deputy', 'bare'],
  call_vs_unauthenticated: ['deputy', 'deputy-open'],
  cold_vs_unauthenticated: ['deputy-cold', 'deputy-open'],
  cold_vs_trpc_standalone: ['deputy-cold', 'trpc-standalone'],
  batch10_vs_unauthenticated: ['deputy-batch10', 'deputy-open-batch10'],
  batch10_vs_trpc_standalone: ['deputy-batch10', 'trpc-standalone-batch10'],
  call_1m_vs_1k: ['deputy-1m', 'deputy'],
} as const

/** Sums the slices up. Throws `TypeError` when those of a server are missing. */
export function toCallsResults(all: readonly Slices[]): CallsResults {
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
  return {
    ratios: Object.fromEntries(Object.entries(spread).map(([name, { median }]) => [name, median])),
    spread,
    servers: Object.fromEntries(
      all.map(({ name, reports }) => [
        name,
        {
          perSecond: summarize(ratesOf(name)),
          p50Ms: summarize(reports.map(({ p50Ms }) => p50Ms)).median,
          p99Ms: summarize(reports.map(({ p99Ms }) => p99Ms)).median,
        },
      ]),
    ),
  }
}

/** The rates, then the ratios. */
export function toCallsTables({ servers, spread }: CallsResults): readonly Table[] {
  const rate = (value: number): string => Math.round(value).toLocaleString('en')
  return [
    [
      ['server', 'requests/s', 'p10 to p90', 'p50 ms', 'p99 ms'],
      ...Object.entries(servers).map(([name, { p50Ms, p99Ms, perSecond }]) => [
        name,
        rate(perSecond.median),
        `${rate(perSecond.p10)} to ${rate(perSecond.p90)}`,
        p50Ms.toFixed(2),
        p99Ms.toFixed(2),
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
  ]
}
