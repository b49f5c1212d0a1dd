// The ledger beside the store that it stands on, and a large book beside a small one, all in turn in one run.
import { chmod, mkdir } from 'node:fs/promises'
import { startPostgres } from '../../../test/support/servers.ts'
import { createRunFolder, type RunFolder } from '../process/run-folder.ts'
import type { Table } from '../report/table.ts'
import { planRounds } from '../slices/plan-rounds.ts'
import { summarize, summarizeRatio, type Summary } from '../slices/statistics.ts'
import { openBareStore } from './bare-store.ts'
import { openBookUnderLoad, type BookUnderLoad } from './book-under-load.ts'
import { seedBook } from './seed-book.ts'
import { openSeededBook } from './seeded-book.ts'

export type LedgerBenchOptions = {
  readonly slices: number
  readonly callers: number
  readonly entries: number
  readonly manyEntries: number
  readonly log: (line: string) => void
}

const SLICE_MS = 1000
/** Quotes that a slice of a book uses up: about as long as the others. */
const QUOTES_PER_SLICE = 1500
const WARM_UP_QUOTES = 3000

/** Runs it. Rejects when the seeded book does not verify. */
export async function runLedgerBench(options: LedgerBenchOptions) {
  const { callers, entries, log, manyEntries, slices } = options
  await using running = new AsyncDisposableStack()
  const folder = running.use(await createRunFolder())
  const smallFile = folder.file('small.sqlite')
  await seedBook({ file: smallFile, entries, log })
  const largeFile = folder.file('large.sqlite')
  await openSeededBook({ entries: manyEntries, copyTo: largeFile, log })
  const small = running.use(await openBookUnderLoad({ location: { file: smallFile }, callers }))
  const large = running.use(await openBookUnderLoad({ location: { file: largeFile }, callers }))
  const bare = running.use(openBareStore(folder.file('bare.sqlite')))
  const postgres = running.use(await openPostgresBook(folder, callers))
  const contestants = {
    ledger: async () => small.measure(QUOTES_PER_SLICE),
    'ledger-10m': async () => large.measure(QUOTES_PER_SLICE),
    'ledger-postgres': async () => postgres.measure(QUOTES_PER_SLICE),
    bare: async () => Promise.resolve(bare.measure(SLICE_MS, 1)),
    'bare-grouped': async () => Promise.resolve(bare.measure(SLICE_MS, callers)),
  }
  await small.measure(WARM_UP_QUOTES)
  await large.measure(WARM_UP_QUOTES)
  await postgres.measure(WARM_UP_QUOTES)
  const names = ['ledger', 'ledger-10m', 'ledger-postgres', 'bare', 'bare-grouped'] as const
  const rates = new Map(names.map((name) => [name, new Array<number>()]))
  for (const [round, order] of planRounds(names, slices).entries()) {
    for (const name of order) rates.get(name)?.push(await contestants[name]())
    log(`round ${String(round + 1)} of ${String(slices)}`)
  }
  const ratesOf = (name: (typeof names)[number]) => rates.get(name) ?? []
  const spread = {
    postings_vs_bare: summarizeRatio(ratesOf('ledger'), ratesOf('bare')),
    postings_vs_bare_grouped: summarizeRatio(ratesOf('ledger'), ratesOf('bare-grouped')),
    postings_10m_vs_1k: summarizeRatio(ratesOf('ledger-10m'), ratesOf('ledger')),
  }
  const perSecond = Object.fromEntries(names.map((name) => [name, summarize(ratesOf(name))]))
  const medians = Object.entries(spread).map(([name, { median }]) => [name, median] as const)
  return {
    results: { ratios: Object.fromEntries(medians), spread, perSecond },
    tables: [toRateTable(perSecond), toRatioTable(spread)],
  }
}

/** The book on a PostgreSQL server of its own, on this machine, which syncs each commit to disk. */
async function openPostgresBook(folder: RunFolder, callers: number): Promise<BookUnderLoad> {
  await using stack = new AsyncDisposableStack()
  await mkdir(folder.file('postgres'), { recursive: true })
  // PostgreSQL does not run as root: its user must come through to its own folder.
  await chmod(folder.file('.'), 0o711)
  const server = await startPostgres(folder.file('postgres/data'), { isDurable: true })
  stack.defer(async () => server.stop())
  const book = stack.use(await openBookUnderLoad({ location: { url: server.url }, callers }))
  await book.fund()
  const resources = stack.move()
  return { ...book, [Symbol.asyncDispose]: async () => resources.disposeAsync() }
}

function toRateTable(rates: Readonly<Record<string, Summary>>): Table {
  const rows = Object.entries(rates).map(([name, { median, p10, p90 }]) => [
    name,
    toCount(median),
    `${toCount(p10)} to ${toCount(p90)}`,
  ])
  return [['store', 'durable per second', 'p10 to p90'], ...rows]
}

function toRatioTable(ratios: Readonly<Record<string, Summary>>): Table {
  const rows = Object.entries(ratios).map(([name, { count, median, p10, p90 }]) => [
    name,
    median.toFixed(3),
    `${p10.toFixed(3)} to ${p90.toFixed(3)}`,
    String(count),
  ])
  return [['ratio', 'median', 'p10 to p90', 'slices'], ...rows]
}

const toCount = (rate: number): string => Math.round(rate).toLocaleString('en')
