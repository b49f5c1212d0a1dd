// From one act to the last call that is accepted: with one authorization server, and with two.
import { chmod, mkdir } from 'node:fs/promises'
import { startPostgres } from '../../../test/support/servers.ts'
import { createRunFolder } from '../process/run-folder.ts'
import type { Table } from '../report/table.ts'
import type { Summary } from '../slices/statistics.ts'
import { measureExchange } from './measure-exchange.ts'
import { measureRevocations, type Notice } from './measure-revocations.ts'
import { measureView } from './measure-view.ts'
import { startWorld } from './start-world.ts'

export type RevocationResults = {
  readonly revocation_p99_ms: number
  readonly revocation_max_ms: number
  readonly revocation_stream_max_ms: number
  readonly revocation_socket_max_ms: number
  readonly revocation_two_instances_p99_ms: number
  readonly revocation_two_instances_max_ms: number
  readonly revocation_two_instances_stream_max_ms: number
  readonly revocation_two_instances_socket_max_ms: number
  readonly view_check_us: number
  readonly view_bytes_per_entry: number
  readonly exchange_vs_issuance: number
  readonly spread: { readonly exchange_vs_issuance: Summary }
}

export type RevocationBenchOptions = {
  /** Slices of the exchange rate; four times as many revocations. */
  readonly slices: number
  readonly log: (line: string) => void
}

/** Runs all of it. Rejects when an agent goes on accepting what was revoked. */
export async function runRevocationBench(
  options: RevocationBenchOptions,
): Promise<RevocationResults> {
  const { log, slices } = options
  const rounds = 4 * slices
  log('the view: 1,000,000 entries')
  const view = measureView()
  await using folder = await createRunFolder()
  log(`one instance: ${String(rounds)} revocations`)
  const { exchange, notice: one } = await runOne()
  log(`two instances on PostgreSQL: ${String(rounds)} revocations`)
  const two = await runTwo()
  return {
    revocation_p99_ms: one.p99Ms,
    revocation_max_ms: one.maxMs,
    revocation_stream_max_ms: one.streamMaxMs,
    revocation_socket_max_ms: one.socketMaxMs,
    revocation_two_instances_p99_ms: two.p99Ms,
    revocation_two_instances_max_ms: two.maxMs,
    revocation_two_instances_stream_max_ms: two.streamMaxMs,
    revocation_two_instances_socket_max_ms: two.socketMaxMs,
    view_check_us: view.checkUs,
    view_bytes_per_entry: view.bytesPerEntry,
    exchange_vs_issuance: exchange.median,
    spread: { exchange_vs_issuance: exchange },
  }

  async function runOne(): Promise<{ readonly notice: Notice; readonly exchange: Summary }> {
    await using world = await startWorld({ folder })
    const notice = await measureRevocations(world, rounds)
    log('exchange beside issuance')
    return { notice, exchange: await measureExchange(world, slices) }
  }

  async function runTwo(): Promise<Notice> {
    // PostgreSQL does not run as root: the user that it runs as must come through to its own folder.
    await chmod(folder.file('.'), 0o711)
    await mkdir(folder.file('postgres'), { recursive: true })
    const postgres = await startPostgres(folder.file('postgres/data'))
    try {
      await using world = await startWorld({ folder, databaseUrl: postgres.url })
      return await measureRevocations(world, rounds)
    } finally {
      await postgres.stop()
    }
  }
}

/** The results as a table. */
export function toRevocationTables(results: RevocationResults): readonly Table[] {
  const { spread, ...values } = results
  const rows = Object.entries(values).map(([name, value]) => [name, value.toFixed(2)])
  const { p10, p90 } = spread.exchange_vs_issuance
  return [
    [['measure', 'value'], ...rows],
    [
      ['spread', 'p10 to p90'],
      ['exchange_vs_issuance', `${p10.toFixed(2)} to ${p90.toFixed(2)}`],
    ],
  ]
}
