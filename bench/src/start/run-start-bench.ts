// Start-up: an agent as it is deployed, built, beside tRPC's standalone server and bare node:http, built alike, each
// started anew in every round. The agent is up when it has fetched its issuer's keys, verified a token and heard that
// it is not revoked; the others ask for nothing.
import { fileURLToPath } from 'node:url'
import { AGENT_ID, AUTHORIZATION, TEXT, toPlan, TRPC_QUERY } from '../calls/scenario.ts'
import { findFreePort } from '../process/find-free-port.ts'
import type { Table } from '../report/table.ts'
import { planRounds } from '../slices/plan-rounds.ts'
import { summarize, summarizeRatio, type Summary } from '../slices/statistics.ts'
import { buildServers } from './build-servers.ts'
import { measureStart } from './measure-start.ts'
import { startIssuer } from './start-issuer.ts'

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
const NAMES = ['deputy', 'deputy-source', 'trpc-standalone', 'bare'] as const

const FROM_SOURCE = ['--disable-warning=ExperimentalWarning', '--conditions=@deputy/source']

/** Starts each so often, in turn. Rejects when one does not answer what it was asked. */
export async function runStartBench(options: {
  readonly slices: number
  readonly log: (line: string) => void
}): Promise<{ readonly results: StartResults; readonly tables: readonly Table[] }> {
  const { log, slices } = options
  log('building what is started')
  const built = await buildServers()
  const source = fileURLToPath(new URL('servers/agent-main.ts', import.meta.url))
  const mains = { ...built, 'deputy-source': source }
  await using issuer = await startIssuer()
  const environment = {
    BENCH_AGENT_ID: AGENT_ID,
    BENCH_ISSUER: issuer.url,
    BENCH_SECRET: 'cs-agent-of-the-bench',
  }
  const times = new Map<string, number[]>(NAMES.map((name) => [name, []]))

  async function start(name: (typeof NAMES)[number]): Promise<number> {
    const port = await findFreePort()
    const { head, tail } = toPlan(port, TRPC_QUERY, AUTHORIZATION)
    const main = mains[name]
    const nodeOptions = main === source ? FROM_SOURCE : []
    const request = head + issuer.token + tail
    return measureStart({ name, main, nodeOptions, environment, port, request }, TEXT)
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
