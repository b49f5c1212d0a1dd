// npm run bench -- <name> [--json | --markdown] [--slices <n>] [--minutes <n>]
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { runCallsBench } from './calls/run-calls-bench.ts'
import { runClientBench } from './client/run-client-bench.ts'
import { runDocumentsBench } from './documents/run-documents-bench.ts'
import { installPeers } from './install-peers.ts'
import { formatTable, type Table } from './report/table.ts'
import { runLedgerBench } from './ledger/run-ledger-bench.ts'
import { runLedgerTorture } from './ledger/run-ledger-torture.ts'
import { runRevocationBench, toRevocationTables } from './revocation/run-revocation-bench.ts'
import { runSoak } from './soak/run-soak.ts'
import { runStartBench } from './start/run-start-bench.ts'
import { toTokenTables } from './token/token-report.ts'
import { runTokenBench } from './token/run-token-bench.ts'
import { runWebSocketBench } from './ws/run-ws-bench.ts'

type Results = {
  readonly results: object
  readonly tables: readonly Table[]
  /** What must not be. */
  readonly faults?: readonly string[]
}
type Bench = (slices: number, minutes: number) => Promise<Results>

const log = (line: string): void => void process.stderr.write(`bench: ${line}\n`)

/** Those that are measured beside peers. */
const WITH_PEERS: ReadonlySet<string> = new Set(['token', 'calls', 'start', 'client', 'ws', 'soak'])

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
  start: async (slices) => runStartBench({ slices, log }),
  client: async (slices) => runClientBench({ slices, log }),
  ws: async (slices) => runWebSocketBench({ slices, connections: 64, idle: 2000, log }),
  soak: async (_, minutes) => runSoak({ minutes, sockets: 2000, log }),
  documents: async (slices) => runDocumentsBench({ slices, log }),
  ledger: async (slices) =>
    runLedgerBench({ slices, callers: 32, entries: 1000, manyEntries: 10_000_000, log }),
  'ledger-torture': async (_, minutes) => runLedgerTorture({ minutes, log }),
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
      minutes: { type: 'string', default: '10' },
    },
  })
  const [name = ''] = positionals
  const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined
  const slices = Number(values.slices)
  const minutes = Number(values.minutes)
  const areGood = Number.isInteger(slices) && slices >= MIN_SLICES && minutes > 0
  if (bench === undefined || !areGood) {
    const names = Object.keys(BENCHES).join('|')
    throw new TypeError(
      `usage: npm run bench -- <${names}> [--json|--markdown] [--slices <${String(MIN_SLICES)} or more>] [--minutes <more than 0>]`,
    )
  }
  if (WITH_PEERS.has(name)) await installPeers(log)
  const { faults = [], results, tables } = await bench(slices, minutes)
  const [cpu] = cpus()
  const machine = { cpu: cpu?.model ?? 'unknown', processors: cpus().length, node: process.version }
  const style = values.markdown ? 'markdown' : 'text'
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ bench: name, ...results, machine })}\n`
      : tables.map((table) => formatTable(table, style)).join('\n'),
  )
  for (const fault of faults) log(`FAULT: ${fault}`)
  if (faults.length > 0) process.exitCode = 1
} catch (error) {
  log(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
