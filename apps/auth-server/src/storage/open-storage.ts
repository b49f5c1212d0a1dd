// The only place that picks adapters.
import { systemClock, type Clock } from '@deputy/auth/protocol'
import { openDatabase, type Database, type DatabaseLocation } from '@deputy/storage'
import type { AuditEvent } from '../audit/audit-event.ts'
import type { AuditTrail } from '../audit/audit-trail.ts'
import { createKyselyAuditTrail } from './audit-trail.ts'
import { createAuditWriter, type AuditWriter } from './audit-writer.ts'
import { createVersionedClientDirectory } from './client-directory.ts'
import { compileIssueStatements } from './issue-statements.ts'
import { createIssueThread } from './issue-thread.ts'
import { migrations } from './migrations.ts'
import { createKyselyReplayMemory, type StoredReplayMemory } from './replay-memory.ts'
import type { SecretReader } from '../clients/secret-reader.ts'
import type { VersionedClientDirectory } from '../clients/client-directory.ts'
import type { IssueLog } from '../tokens/issue-log.ts'
import { watchInserts } from '../revocation/watch-inserts.ts'
import { createRevocationSignal, type RevocationSignal } from './revocation-signal.ts'
import { createSharedIssueLog } from './shared-issue-log.ts'
import { createThreadedIssueLog, type ClosableIssueLog } from './threaded-issue-log.ts'
import { openSecretReader } from './secret-reader.ts'
import { createStores, type Stores } from './stores.ts'
import type { Tables } from './tables.ts'

/** Secrets that are worth reading ahead. */
const MIN_SECRETS = 10_000

/** Work on the stores; what it notes is on the audit trail exactly when its writes are on disk. */
export type Act<Value> = (stores: Stores, note: (event: AuditEvent) => void) => Promise<Value>

/** Everything that the authorization server keeps. */
export type Storage = AsyncDisposable &
  Stores & {
    readonly audit: AuditTrail
    /** Where tokens are written down. */
    readonly issues: IssueLog
    readonly versionedClients: VersionedClientDirectory
    /**
     * Opens a reader of all secrets; answers `undefined` where they are few, and on PostgreSQL, which is asked for
     * each as it comes.
     *
     * @param minSecrets how many are not few, 10,000 by default
     */
    openSecretReader(minSecrets?: number): Promise<SecretReader | undefined>
    readonly revocationSignal: RevocationSignal
    /** Carries out work whose writes hold together: all of them are on disk, or none is. */
    act<Value>(work: Act<Value>): Promise<Value>
    /** Opens the memory of what may be used once. */
    createReplayMemory(clock: Clock): StoredReplayMemory
    close(): Promise<void>
  }

/**
 * Opens the SQLite file or the PostgreSQL database. Rejects with `DatabaseOpenError`.
 *
 * @param clock dates the entries of the audit trail
 */
export async function openStorage(
  location: DatabaseLocation,
  clock: Clock = systemClock,
): Promise<Storage> {
  const database = await openDatabase<Tables>({ ...location, migrations })
  const { db } = database
  const writer = createAuditWriter({ database, clock })
  const signal = createRevocationSignal(database.announcements)
  const issues = openIssueLog({ location, database, writer, clock })
  const ownHeads = () =>
    [writer.confirmedHead(), issues.head()].filter((head) => head !== undefined)
  const close = async (): Promise<void> => {
    await issues.close()
    await database.close()
  }
  return {
    ...createStores(db),
    audit: createKyselyAuditTrail({ db, writer, ownHeads, clock }),
    issues,
    versionedClients: createVersionedClientDirectory(database),
    openSecretReader: async (minSecrets = MIN_SECRETS) =>
      database.lendWriter === undefined || location.file === undefined
        ? undefined
        : openSecretReader({ db, file: location.file, minSecrets }),
    revocationSignal: signal,
    async act(work) {
      let isRevoking = false
      const value = await writer.act(async (transaction, note) => {
        const stores = createStores(transaction)
        isRevoking = false
        const revocations = watchInserts(stores.revocations, async () => {
          if (!isRevoking) await signal.announce(transaction)
          isRevoking = true
        })
        return work({ ...stores, revocations }, note)
      })
      if (isRevoking) signal.tell()
      return value
    },
    createReplayMemory: (clock) => createKyselyReplayMemory({ database, clock }),
    close,
    [Symbol.asyncDispose]: close,
  }
}

type IssueLogOptions = {
  readonly location: DatabaseLocation
  readonly database: Database<Tables>
  readonly writer: AuditWriter
  readonly clock: Clock
}

/** A file is written by a thread of its own; elsewhere, tokens share the commits of the trail. */
function openIssueLog({ clock, database, location, writer }: IssueLogOptions): ClosableIssueLog {
  const { db, lendWriter } = database
  if (lendWriter === undefined || location.file === undefined) return createSharedIssueLog(writer)
  const statements = compileIssueStatements(db)
  return createThreadedIssueLog({
    db,
    lendWriter,
    thread: createIssueThread({ file: location.file, statements }),
    clock,
    onWritten: () => writer.tellAppended(),
  })
}
