// The large book is kept between runs, since it takes minutes to make. It goes by what made it, so that a new migration or
// another way to seed makes a new one.
import { createHash } from 'node:crypto'
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { migrations } from '../../../apps/billing-agent/src/storage/migrations.ts'
import { copyDatabase } from '../process/copy-database.ts'
import { seedBook } from './seed-book.ts'

export type SeededBookOptions = {
  readonly entries: number
  /** Where the book is copied to: a run leaves thousands of holds of its agents, which the next must not begin with. */
  readonly copyTo: string
  readonly log: (line: string) => void
}

/** Makes the book, or takes the one of an earlier run, and copies it. */
export async function openSeededBook({ copyTo, entries, log }: SeededBookOptions): Promise<void> {
  const folder = join(tmpdir(), 'deputy-bench', `ledger-${await toKey()}-${String(entries)}`)
  const file = join(folder, 'book.sqlite')
  if (!(await exists(file))) {
    // Under another name until it is whole: a run that was ended leaves nothing that looks like a book.
    const draft = `${folder}.${String(process.pid)}`
    await mkdir(draft, { recursive: true, mode: 0o700 })
    const startMs = performance.now()
    try {
      await seedBook({ file: join(draft, 'book.sqlite'), entries, log })
      await rm(folder, { recursive: true, force: true })
      await rename(draft, folder)
    } finally {
      await rm(draft, { recursive: true, force: true })
    }
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
    log(`made a book of ${entries.toLocaleString('en')} entries in ${seconds} s`)
  }
  await copyDatabase(file, copyTo)
}

async function toKey(): Promise<string> {
  const seeding = await readFile(fileURLToPath(new URL('seed-book.ts', import.meta.url)))
  const hash = createHash('sha256').update(Object.keys(migrations).join()).update(seeding)
  return hash.digest('hex').slice(0, 16)
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
