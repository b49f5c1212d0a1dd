// The torture of the tests, for as long as one likes, on each database: 100 agents, and a server that is killed again and
// again. Not a measurement: it ends with an error when the book is not what the agents were told.
import { chmod, mkdir } from 'node:fs/promises'
import {
  runTorture,
  type TortureOutcome,
} from '../../../apps/billing-agent/test-support/torture/run-torture.ts'
import { startPostgres } from '../../../test/support/servers.ts'
import { createRunFolder } from '../process/run-folder.ts'
import type { Table } from '../report/table.ts'

export type LedgerTortureOptions = {
  /** On each database. */
  readonly minutes: number
  readonly log: (line: string) => void
}

const AGENTS = 100
const ANSWERS_PER_KILL = 500

/** Runs it on SQLite and on PostgreSQL. Rejects when anything is wrong. */
export async function runLedgerTorture({ log, minutes }: LedgerTortureOptions) {
  await using folder = await createRunFolder()
  const run = async (name: string, location: { file: string } | { url: string }) => {
    const seed = Math.trunc(Math.random() * 2 ** 31)
    log(`${name}: ${String(minutes)} minutes, seed ${String(seed)}`)
    const endMs = performance.now() + minutes * 60_000
    const outcome = await runTorture({
      location,
      agents: AGENTS,
      answersPerKill: ANSWERS_PER_KILL,
      isOver: () => performance.now() >= endMs,
      seed,
    })
    if (outcome.faults.length > 0) throw new Error(`${name}: ${outcome.faults.join('\n')}`)
    return outcome
  }
  const sqlite = await run('SQLite', { file: folder.file('torture.sqlite') })
  // PostgreSQL does not run as root: its user must come through to its own folder.
  await mkdir(folder.file('postgres'), { recursive: true })
  await chmod(folder.file('.'), 0o711)
  const server = await startPostgres(folder.file('postgres/data'))
  try {
    const postgres = await run('PostgreSQL', { url: server.url })
    return { results: { sqlite, postgres }, tables: [toTable({ sqlite, postgres })] }
  } finally {
    await server.stop()
  }
}

function toTable(outcomes: Readonly<Record<string, TortureOutcome>>): Table {
  const rows = Object.entries(outcomes).map(([name, outcome]) => [
    name,
    String(outcome.kills),
    String(outcome.acknowledged),
    String(outcome.retried),
    String(outcome.postings),
    String(outcome.faults.length),
  ])
  return [['database', 'kills', 'acknowledged', 'sent again', 'postings', 'faults'], ...rows]
}
