// The only place that picks adapters.
import type { Clock } from '@deputy/auth/protocol'
import { createLimitUse, openDatabase, type LimitUse } from '@deputy/storage'
import { randomUUID } from 'node:crypto'
import type { DocumentIndex } from '../documents/document-index.ts'
import type { JobStore } from '../jobs/job-store.ts'
import type { TraceStore } from '../trace/trace-store.ts'
import { createSqliteDocumentIndex } from './document-index.ts'
import { createKyselyJobStore } from './job-store.ts'
import { createKyselyTraceStore } from './trace-store.ts'
import { migrations } from './migrations.ts'
import type { Tables } from './tables.ts'

/** Everything that research keeps. */
export type ResearchStorage = AsyncDisposable & {
  readonly documents: DocumentIndex
  readonly jobs: JobStore
  readonly traces: TraceStore
  /** Opens the account of what callers used of the limits of their tokens. */
  createLimitUse(clock: Clock): LimitUse
  close(): Promise<void>
}

/** Opens the SQLite file, or `:memory:`. Rejects with `DatabaseOpenError`. */
export async function openStorage(file: string): Promise<ResearchStorage> {
  const database = await openDatabase<Tables>({ file, migrations })
  const worker = randomUUID()
  const close = async (): Promise<void> => database.close()
  return {
    documents: createSqliteDocumentIndex(database.db),
    jobs: createKyselyJobStore(database.db, worker),
    traces: createKyselyTraceStore(database.db, worker),
    createLimitUse: (clock) => createLimitUse({ database, clock }),
    close,
    [Symbol.asyncDispose]: close,
  }
}
