// The only place that picks adapters.
import { systemClock, type Clock } from '@deputy/auth/protocol'
import { openDatabase, type DatabaseLocation } from '@deputy/storage'
import type { AuditEvent } from '../audit/audit-event.ts'
import type { AuditTrail } from '../audit/audit-trail.ts'
import { createKyselyAuditTrail } from './audit-trail.ts'
import { createAuditWriter } from './audit-writer.ts'
import { migrations } from './migrations.ts'
import { createKyselyReplayMemory, type StoredReplayMemory } from './replay-memory.ts'
import { watchInserts } from '../revocation/watch-inserts.ts'
import { createRevocationSignal, type RevocationSignal } from './revocation-signal.ts'
import { createStores, type Stores } from './stores.ts'
import type { Tables } from './tables.ts'

/** Work on the stores; what it notes is on the audit trail exactly when its writes are on disk. */
export type Act<Value> = (stores: Stores, note: (event: AuditEvent) => void) => Promise<Value>

/** Everything that the authorization server keeps. */
export type Storage = AsyncDisposable &
  Stores & {
    readonly audit: AuditTrail
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
  const close = async (): Promise<void> => database.close()
  return {
    ...createStores(db),
    audit: createKyselyAuditTrail({ db, writer, clock }),
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
