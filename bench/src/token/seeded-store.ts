// Seeded stores are kept between runs: a million agents take minutes. A store goes by what made it, so
// that a new migration or another way to seed makes a new one.
import { createHash } from 'node:crypto'
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { migrations } from '../../../apps/auth-server/src/storage/migrations.ts'
import { copyDatabase } from '../process/copy-database.ts'
import { seedStore } from './seed-store.ts'

/** The files of a store, and of the credentials of its agents. */
export type SeededStore = { readonly databaseFile: string; readonly credentialsFile: string }

export type SeededStoreOptions = {
  readonly agents: number
  /** Where the database is copied to: the server under test writes into the copy. */
  readonly copyTo: string
  readonly log: (line: string) => void
}

/** Makes the store, or takes the one of an earlier run. */
export async function openSeededStore(options: SeededStoreOptions): Promise<SeededStore> {
  const { agents, copyTo, log } = options
  const folder = join(tmpdir(), 'deputy-bench', `${await toKey()}-${String(agents)}`)
  const kept = {
    databaseFile: join(folder, 'store.sqlite'),
    credentialsFile: join(folder, 'basic'),
  }
  if (!(await exists(folder))) await seed(folder, agents, log)
  await copyDatabase(kept.databaseFile, copyTo)
  return { databaseFile: copyTo, credentialsFile: kept.credentialsFile }
}

async function seed(folder: string, agents: number, log: (line: string) => void): Promise<void> {
  // Under another name until it is whole: a run that was ended leaves nothing that looks like a store.
  const draft = `${folder}.${String(process.pid)}`
  await mkdir(draft, { recursive: true, mode: 0o700 })
  const startMs = performance.now()
  try {
    await seedStore({
      databaseFile: join(draft, 'store.sqlite'),
      credentialsFile: join(draft, 'basic'),
      agents,
      onProgress: (done) => {
        if (done % 100_000 === 0) log(`seeded ${done.toLocaleString('en')} agents`)
      },
    })
    await rename(draft, folder)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
  log(`made a store of ${agents.toLocaleString('en')} agents in ${seconds} s`)
}

async function toKey(): Promise<string> {
  const hash = createHash('sha256').update(Object.keys(migrations).join())
  for (const name of ['seed-store.ts', 'scenario.ts']) {
    hash.update(await readFile(fileURLToPath(new URL(name, import.meta.url))))
  }
  return hash.digest('hex').slice(0, 16)
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
