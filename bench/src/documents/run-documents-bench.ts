// Indexing and searching documents, at 300 and at 10,000 of them.
import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { writeGeneratedDocuments } from '../../../test/support/generated-documents.ts'
import { createRunFolder } from '../process/run-folder.ts'
import type { Table } from '../report/table.ts'

const SIZES = [300, 10_000] as const
const MAIN = fileURLToPath(new URL('search-main.ts', import.meta.url))

/** What a process answers. */
export type Measured = {
  readonly documents: number
  readonly indexMs: number
  readonly unchangedMs: number
  readonly changedMs: number
  readonly queryMs: readonly number[]
  readonly peakMb: number
}

export type DocumentsResults = {
  readonly index_ms_300: number
  readonly index_ms_10k: number
  readonly reindex_unchanged_ms_300: number
  readonly reindex_unchanged_ms_10k: number
  readonly reindex_changed_ms_300: number
  readonly reindex_changed_ms_10k: number
  readonly query_p50_ms_300: number
  readonly query_p50_ms_10k: number
  readonly query_p99_ms_300: number
  readonly query_p99_ms_10k: number
  /** At 10,000 documents. */
  readonly query_p99_ms: number
  readonly peak_rss_mb_300: number
  readonly peak_rss_mb_10k: number
  readonly database_mb_10k: number
}

export type DocumentsBenchOptions = {
  /** Forty questions a slice. */
  readonly slices: number
  readonly log: (line: string) => void
}

/** Runs it. Rejects when a search finds nothing, or a document is missing. */
export async function runDocumentsBench({ log, slices }: DocumentsBenchOptions): Promise<{
  readonly results: DocumentsResults
  readonly tables: readonly Table[]
}> {
  const [small, large] = SIZES
  const one = await measure(small, { slices, log })
  const two = await measure(large, { slices, log })
  const results: DocumentsResults = {
    index_ms_300: one.indexMs,
    index_ms_10k: two.indexMs,
    reindex_unchanged_ms_300: one.unchangedMs,
    reindex_unchanged_ms_10k: two.unchangedMs,
    reindex_changed_ms_300: one.changedMs,
    reindex_changed_ms_10k: two.changedMs,
    query_p50_ms_300: quantile(one.queryMs, 0.5),
    query_p50_ms_10k: quantile(two.queryMs, 0.5),
    query_p99_ms_300: quantile(one.queryMs, 0.99),
    query_p99_ms_10k: quantile(two.queryMs, 0.99),
    query_p99_ms: quantile(two.queryMs, 0.99),
    peak_rss_mb_300: one.peakMb,
    peak_rss_mb_10k: two.peakMb,
    database_mb_10k: two.databaseMb,
  }
  const row = (name: string, read: (of: typeof one) => number, unit: string) => [
    name,
    `${toText(read(one))} ${unit}`,
    `${toText(read(two))} ${unit}`,
  ]
  return {
    results,
    tables: [
      [
        ['', `${String(small)} documents`, `${String(large)} documents`],
        row('first index', ({ indexMs }) => indexMs, 'ms'),
        row('start, nothing changed', ({ unchangedMs }) => unchangedMs, 'ms'),
        row('start, 1 % changed', ({ changedMs }) => changedMs, 'ms'),
        row('question, p50', ({ queryMs }) => quantile(queryMs, 0.5), 'ms'),
        row('question, p99', ({ queryMs }) => quantile(queryMs, 0.99), 'ms'),
        row('peak memory of the process', ({ peakMb }) => peakMb, 'MB'),
        row('database', ({ databaseMb }) => databaseMb, 'MB'),
      ],
    ],
  }
}

async function measure(documents: number, { log, slices }: DocumentsBenchOptions) {
  await using folder = await createRunFolder()
  log(`${String(documents)} documents are written`)
  const below = folder.file('documents')
  await writeGeneratedDocuments(below, documents)
  log(`${String(documents)} documents are indexed and searched`)
  const database = folder.file('research.sqlite')
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--conditions=@deputy/source',
      MAIN,
      below,
      database,
      String(slices * 40),
    ],
    { maxBuffer: 16 * 1024 * 1024 },
  )
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by search-main.ts, as this type
  const measured = JSON.parse(stdout) as Measured
  if (measured.documents !== documents) {
    throw new Error(`${String(measured.documents)} of ${String(documents)} documents are there`)
  }
  return { ...measured, databaseMb: (await stat(database)).size / 1024 / 1024 }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
}

function toText(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(1)
}
