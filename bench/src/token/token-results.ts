// What a run says: rates, and how many times the one is the other.
import type { Slices } from '../slices/run-slices.ts'
import { summarize, summarizeRatio, type Summary } from '../slices/statistics.ts'

export type ServerResult = {
  readonly tokensPerSecond: Summary
  /** Medians over the slices. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Share of one processor that the load generator took. */
  readonly generatorCpu: number
}

export type TokenResults = {
  /** Medians, over the rounds, of the rate of the one to that of the other. */
  readonly ratios: Readonly<Record<string, number>>
  /** The same with their spread. */
  readonly spread: Readonly<Record<string, Summary>>
  readonly servers: Readonly<Record<string, ServerResult>>
}

/** Sums the slices up. Throws `TypeError` when those of a server are missing. */
export function toTokenResults(all: readonly Slices[]): TokenResults {
  const rates = new Map(
    all.map(({ name, reports }) => [
      name,
      reports.map(({ answered, elapsedMs }) => (answered / elapsedMs) * 1000),
    ]),
  )

  function ratesOf(name: string): readonly number[] {
    const found = rates.get(name)
    if (found === undefined) throw new TypeError(`${name} was not measured`)
    return found
  }
  const compare = (of: string, to: string): Summary => summarizeRatio(ratesOf(of), ratesOf(to))

  const spread = {
    issuance_vs_oidc_provider: compare('deputy', 'oidc-provider'),
    issuance_vs_bare: compare('deputy', 'bare'),
    issuance_vs_node_oauth: compare('deputy', 'node-oauth'),
    issuance_1m_vs_1k_agents: compare('deputy-1m', 'deputy'),
  }
  return {
    ratios: Object.fromEntries(Object.entries(spread).map(([name, { median }]) => [name, median])),
    spread,
    servers: Object.fromEntries(all.map((slices) => [slices.name, toServerResult(slices)])),
  }

  function toServerResult({ name, reports }: Slices): ServerResult {
    const medianOf = (values: readonly number[]): number => summarize(values).median
    return {
      tokensPerSecond: summarize(ratesOf(name)),
      p50Ms: medianOf(reports.map(({ p50Ms }) => p50Ms)),
      p99Ms: medianOf(reports.map(({ p99Ms }) => p99Ms)),
      generatorCpu: medianOf(reports.map(({ cpuMs, elapsedMs }) => cpuMs / elapsedMs)),
    }
  }
}
