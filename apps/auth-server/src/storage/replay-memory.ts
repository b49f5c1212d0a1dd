// The replay memory in the database: survives a restart, and is shared by all instances on PostgreSQL.
import type { ReplayMemory } from '@deputy/auth'
import type { Clock } from '@deputy/auth/protocol'
import type { Database } from '@deputy/storage'
import type { Kysely } from 'kysely'
import type { Tables } from './tables.ts'

/** A replay memory whose table has to be kept small. */
export type StoredReplayMemory = ReplayMemory & {
  /** Deletes claims that are over, `PRUNE_BATCH_SIZE` in one commit, until none is left. Answers how many. */
  prune(): Promise<number>
}

export type ReplayMemoryOptions = {
  readonly database: Pick<Database<Tables>, 'commit' | 'db'>
  readonly clock: Clock
}

/** Rows that one commit of a prune deletes: few enough that claims do not wait for it. */
export const PRUNE_BATCH_SIZE = 1000

/** Creates the memory on Kysely. */
export function createKyselyReplayMemory(options: ReplayMemoryOptions): StoredReplayMemory {
  const { clock, database } = options

  // Where many connections write at once (PostgreSQL), single statements share the disk by themselves.
  // Attack prevented: with many claims in one transaction, proofs that are replayed at two instances in
  // opposite order would make these wait for each other.
  const isAlone = database.db.getExecutor().adapter.supportsMultipleConnections !== false
  async function commit<Value>(work: (db: Kysely<Tables>) => Promise<Value>): Promise<Value> {
    return isAlone ? work(database.db) : database.commit(work)
  }

  return {
    async claimOnce(key, expiresAt) {
      const now = clock.now()
      if (expiresAt <= now) return false
      return commit(async (db) => {
        // One statement decides: of callers at once, one inserts. A claim that is over and not pruned
        // yet is taken over; a live one is left as it is.
        const result = await db
          .insertInto('replay_claim')
          .values({ claim_key: key, expires_at: expiresAt })
          .onConflict((conflict) =>
            conflict
              .column('claim_key')
              .doUpdateSet({ expires_at: expiresAt })
              .where('replay_claim.expires_at', '<=', now),
          )
          .executeTakeFirstOrThrow()
        return result.numInsertedOrUpdatedRows === 1n
      })
    },

    async prune() {
      const now = clock.now()
      let total = 0
      for (;;) {
        const deleted = await commit(async (db) => {
          const over = db
            .selectFrom('replay_claim')
            .select('claim_key')
            .where('expires_at', '<=', now)
            .orderBy('expires_at')
            .orderBy('claim_key')
            .limit(PRUNE_BATCH_SIZE)
          const result = await db
            .deleteFrom('replay_claim')
            .where('claim_key', 'in', over)
            .where('expires_at', '<=', now)
            .executeTakeFirstOrThrow()
          return Number(result.numDeletedRows)
        })
        total += deleted
        if (deleted < PRUNE_BATCH_SIZE) return total
      }
    },
  }
}
