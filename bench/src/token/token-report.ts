import type { Table } from '../report/table.ts'
import type { Summary } from '../slices/statistics.ts'
import type { TokenResults } from './token-results.ts'

/** The rates, then the ratios, as tables. */
export function toTokenTables({ servers, spread }: TokenResults): readonly Table[] {
  return [
    [
      ['server', 'tokens/s', 'p10 to p90', 'p50 ms', 'p99 ms', 'generator CPU'],
      ...Object.entries(servers).map(([name, server]) => [
        name,
        formatRate(server.tokensPerSecond.median),
        formatSpread(server.tokensPerSecond, formatRate),
        server.p50Ms.toFixed(1),
        server.p99Ms.toFixed(1),
        `${(server.generatorCpu * 100).toFixed(0)} %`,
      ]),
    ],
    [
      ['ratio', 'median', 'p10 to p90', 'slices'],
      ...Object.entries(spread).map(([name, ratio]) => [
        name,
        formatRatio(ratio.median),
        formatSpread(ratio, formatRatio),
        String(ratio.count),
      ]),
    ],
  ]
}

function formatSpread({ p10, p90 }: Summary, format: (value: number) => string): string {
  return `${format(p10)} to ${format(p90)}`
}

function formatRate(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function formatRatio(value: number): string {
  return value.toFixed(2)
}
