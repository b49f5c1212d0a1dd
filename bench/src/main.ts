// npm run bench -- <name> [--json | --markdown] [--slices <n>]
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { runCallsBench } from './calls/run-calls-bench.ts'
import { runClientBench } from './client/run-client-bench.ts'
import { installPeers } from './install-peers.ts'
import { formatTable, type Table } from './report/table.ts'
import { runRevocationBench, toRevocationTables } from './revocation/run-revocation-bench.ts'
import { toTokenTables } from './token/token-report.ts'
import { runTokenBench } from './token/run-token-bench.ts'
import { runWebSocketBench } from './ws/run-ws-bench.ts'

type Results = { readonly results: object; readonly tables: readonly Table[] }
type Bench = (slices: number) => Promise<Results>

const log = (line: string): void => void process.stderr.write(`bench: ${line}\n`)

/** Those that are measured beside peers. */
const WITH_PEERS: ReadonlySet<string> = new Set(['token', 'calls', 'client', 'ws'])

/** The benches by their names. */
const BENCHES: Readonly<Record<string, Bench>> = {
  token: async (slices) => {
    const results = await runTokenBench({
      slices,
      agents: 1000,
      manyAgents: 1_000_000,
      connections: 64,
      log,
    })
    return { results, tables: toTokenTables(results) }
  },
  calls: async (slices) => runCallsBench({ slices, connections: 64, agents: 1000, log }),
  client: async (slices) => runClientBench({ slices, log }),
  ws: async (slices) => runWebSocketBench({ slices, connections: 64, idle: 2000, log }),
  revocation: async (slices) => {
    const results = await runRevocationBench({ slices, log })
    return { results, tables: toRevocationTables(results) }
  },
}

const MIN_SLICES = 3

try {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      slices: { type: 'string', default: '25' },
    },
  })
  const [name = ''] = positionals
  const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined
  const slices = Number(values.slices)
  if (bench === undefined || !Number.isInteger(slices) || slices < MIN_SLICES) {
    throw new TypeError(
      `usage: npm run bench -- <${Object.keys(BENCHES).join('|')}> [--json|--markdown] [--slices <${String(MIN_SLICES)} or more>]`,
    )
  }
  if (WITH_PEERS.has(name)) await installPeers(log)
  const { results, tables } = await bench(slices)
  const [cpu] = cpus()
  const machine = { cpu: cpu?.model ?? 'unknown', processors: cpus().length, node: process.version }
  const style = values.markdown ? 'markdown' : 'text'
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ bench: name, ...results, machine })}\n`
      : tables.map((table) => formatTable(table, style)).join('\n'),
  )
} catch (error) {
  log(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
