// What a run of slices says: how many a second each answered, and how many times the one is the other.
import type { Table } from '../report/table.ts'
import type { Slices } from './run-slices.ts'
import { summarize, summarizeRatio, type Summary } from './statistics.ts'

/** Each ratio: whose rate, to whose. */
export type RatioPairs = Readonly<Record<string, readonly [of: string, to: string]>>

export type ComparedRates = {
  /** Medians, over the rounds, of the rate of the one to that of the other. */
  readonly ratios: Readonly<Record<string, number>>
  /** The same with their spread. */
  readonly spread: Readonly<Record<string, Summary>>
  /** Answers a second, by name. */
  readonly rates: Readonly<Record<string, Summary>>
}

/** Sums the slices up. Throws `TypeError` when those of a server are missing. */
export function compareRates(all: readonly Slices[], pairs: RatioPairs): ComparedRates {
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
    Object.entries(pairs).map(([name, [of, to]]) => [
      name,
      summarizeRatio(ratesOf(of), ratesOf(to)),
    ]),
  )
  return {
    ratios: Object.fromEntries(Object.entries(spread).map(([name, { median }]) => [name, median])),
    spread,
    rates: Object.fromEntries([...rates].map(([name, values]) => [name, summarize(values)])),
  }
}

/** The ratios as a table. */
export function toRatioTable({ spread }: Pick<ComparedRates, 'spread'>): Table {
  return [
    ['ratio', 'median', 'p10 to p90'],
    ...Object.entries(spread).map(([name, { median, p10, p90 }]) => [
      name,
      median.toFixed(2),
      `${p10.toFixed(2)} to ${p90.toFixed(2)}`,
    ]),
  ]
}

/** A rate as it stands in a table. */
export function toRateText(value: number): string {
  return Math.round(value).toLocaleString('en')
}

/** Its spread. */
export function toSpreadText({ p10, p90 }: Summary): string {
  return `${toRateText(p10)} to ${toRateText(p90)}`
}
