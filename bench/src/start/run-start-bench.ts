// Start-up: an agent beside tRPC's standalone server and bare node:http, each started anew in every round.
import { CONTESTANTS } from '../calls/contestants.ts'
import { issueTokens } from '../calls/issue-tokens.ts'
import { AUTHORIZATION, TEXT, toPlan, TRPC_QUERY } from '../calls/scenario.ts'
import { readEqualLines } from '../load/equal-lines.ts'
import { findFreePort } from '../process/find-free-port.ts'
import { createRunFolder } from '../process/run-folder.ts'
import type { Table } from '../report/table.ts'
import { planRounds } from '../slices/plan-rounds.ts'
import { summarize, summarizeRatio, type Summary } from '../slices/statistics.ts'
import { measureStart } from './measure-start.ts'

export type StartResults = {
  readonly ratios: Readonly<Record<string, number>>
  readonly spread: Readonly<Record<string, Summary>>
  /** Milliseconds from the start of the process to its first answer. */
  readonly servers: Readonly<Record<string, Summary>>
}

/** Each ratio: whose time, to whose. Below 1 is faster. */
const RATIOS = {
  start_vs_trpc_standalone: ['deputy', 'trpc-standalone'],
  start_vs_bare: ['deputy', 'bare'],
} as const
const NAMES = ['deputy', 'trpc-standalone', 'bare'] as const

/** Starts each so often, in turn. Rejects when one does not answer what it was asked. */
export async function runStartBench(options: {
  readonly slices: number
  readonly log: (line: string) => void
}): Promise<{ readonly results: StartResults; readonly tables: readonly Table[] }> {
  const { log, slices } = options
  await using folder = await createRunFolder()
  const files = { tokens: folder.file('tokens'), jwks: folder.file('jwks.json') }
  await issueTokens(1, files)
  const token = readEqualLines(files.tokens).at(0)
  const times = new Map<string, number[]>(NAMES.map((name) => [name, []]))

  async function start(name: (typeof NAMES)[number]): Promise<number> {
    const contestant = CONTESTANTS.find((one) => one.name === name)
    if (contestant === undefined) throw new TypeError(`there is no ${name}`)
    const port = await findFreePort()
    const { head, tail } = toPlan(port, TRPC_QUERY, AUTHORIZATION)
    // Nothing is denied yet, as with an agent that was deployed anew.
    const environment = {
      BENCH_JWKS_FILE: files.jwks,
      ...contestant.environment,
      BENCH_DENIED: '0',
    }
    const { main } = contestant
    return measureStart({ name, main, environment, port, request: head + token + tail }, TEXT)
  }

  // Once for the files to be in the system's memory, and for what Node caches of them.
  for (const name of NAMES) await start(name)
  for (const [round, order] of planRounds(NAMES, slices).entries()) {
    for (const name of order) times.get(name)?.push(await start(name))
    log(`round ${String(round + 1)} of ${String(slices)}`)
  }
  const results = toStartResults(times)
  return { results, tables: toTables(results) }
}

/** Sums up. Throws `RangeError` when the times of a server are missing. */
export function toStartResults(times: ReadonlyMap<string, readonly number[]>): StartResults {
  const timesOf = (name: string): readonly number[] => times.get(name) ?? []
  const spread = Object.fromEntries(
    Object.entries(RATIOS).map(([ratio, [of, to]]) => [
      ratio,
      summarizeRatio(timesOf(of), timesOf(to)),
    ]),
  )
  return {
    ratios: Object.fromEntries(Object.entries(spread).map(([name, { median }]) => [name, median])),
    spread,
    servers: Object.fromEntries(NAMES.map((name) => [name, summarize(timesOf(name))])),
  }
}

function toTables({ servers, spread }: StartResults): readonly Table[] {
  const row = (name: string, { median, p10, p90 }: Summary, digits: number): string[] => [
    name,
    median.toFixed(digits),
    `${p10.toFixed(digits)} to ${p90.toFixed(digits)}`,
  ]
  return [
    [['server', 'ms', 'p10 to p90'], ...Object.entries(servers).map(([n, one]) => row(n, one, 0))],
    [
      ['ratio', 'median', 'p10 to p90'],
      ...Object.entries(spread).map(([n, one]) => row(n, one, 2)),
    ],
  ]
}
