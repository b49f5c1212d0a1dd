// What was used of the limits of tokens, in a database: how many calls below which grant, and which
// approvals. Fits the ports of `@deputy/auth` by its shape. Survives a restart, and is shared by all
// processes on the database.
import { sql, type QueryExecutorProvider } from 'kysely'
import type { Database } from '../database.ts'

export type LimitUseOptions<Tables> = {
  /** With the table of `createLimitUseTable`. */
  readonly database: Pick<Database<Tables>, 'commit' | 'db' | 'dialect'>
  /** Whole seconds. */
  readonly clock: { now(): number }
}

type CallsAllowed = { readonly identifier: string; readonly max: number }

type CallsRefusal = CallsAllowed & { readonly reason: 'calls_exhausted' }

type Taken =
  | { readonly ok: true; readonly value: undefined }
  | { readonly ok: false; readonly refusal: CallsRefusal }

/** Both uses, and what keeps their table small. */
export type LimitUse = {
  readonly callCounter: {
    take(calls: readonly CallsAllowed[], expiresAt: number): Promise<Taken>
  }
  readonly approvals: { claimOnce(key: string, expiresAt: number): Promise<boolean> }
  /** Deletes what is over, `LIMIT_USE_PRUNE_BATCH_SIZE` in one commit, until none is left. Answers how many. */
  readonly prune: () => Promise<number>
}

/** Rows that one commit of a prune deletes: few enough that calls do not wait for it. */
export const LIMIT_USE_PRUNE_BATCH_SIZE = 1000

/** Carries the refusal out of a transaction that is thereby undone. */
class NoCallLeft extends Error {
  override readonly name = 'NoCallLeft'
  readonly refusal: CallsRefusal

  constructor({ identifier, max }: CallsAllowed) {
    super('the limit is used up')
    this.refusal = { reason: 'calls_exhausted', identifier, max }
  }
}

/** Creates both on the one table. They reject with `DatabaseUnavailableError` in an outage. */
export function createLimitUse<Tables>(options: LimitUseOptions<Tables>): LimitUse {
  const { clock, database } = options
  const { commit, db, dialect } = database

  // On SQLite works share a commit. On PostgreSQL many connections write at once, and a transaction that
  // held the rows of many calls would wait for one that holds others of them.
  async function write<Value>(work: (db: QueryExecutorProvider) => Promise<Value>): Promise<Value> {
    return dialect === 'sqlite' ? commit(work) : db.transaction().execute(work)
  }

  return {
    callCounter: {
      async take(calls, expiresAt) {
        const now = clock.now()
        const [first] = calls
        if (first === undefined) return { ok: true, value: undefined }
        if (expiresAt <= now) return { ok: false, refusal: new NoCallLeft(first).refusal }
        // In one order everywhere, so that no two wait for each other's rows.
        const ordered = calls.toSorted((one, other) => (one.identifier < other.identifier ? -1 : 1))
        try {
          await write(async (db) => {
            for (const one of ordered) {
              const use = { key: `calls:${one.identifier}`, max: one.max, expiresAt }
              if (!(await takeOne(db, use, now))) throw new NoCallLeft(one)
            }
          })
          return { ok: true, value: undefined }
        } catch (error) {
          if (error instanceof NoCallLeft) return { ok: false, refusal: error.refusal }
          throw error
        }
      },
    },

    approvals: {
      async claimOnce(key, expiresAt) {
        const now = clock.now()
        if (expiresAt <= now) return false
        return write(async (db) => takeOne(db, { key: `once:${key}`, max: 1, expiresAt }, now))
      },
    },

    async prune() {
      const now = clock.now()
      let total = 0
      for (;;) {
        const { rows } = await write(async (db) =>
          sql`
            delete from limit_use where expires_at <= ${now} and use_key in (
              select use_key from limit_use where expires_at <= ${now}
              order by expires_at, use_key limit ${LIMIT_USE_PRUNE_BATCH_SIZE}
            ) returning 1 as deleted
          `.execute(db),
        )
        total += rows.length
        if (rows.length < LIMIT_USE_PRUNE_BATCH_SIZE) return total
      }
    },
  }
}

type Use = { readonly key: string; readonly max: number; readonly expiresAt: number }

/** One statement decides: of callers at once, `max` get one. What is over and not pruned yet begins anew. */
async function takeOne(
  db: QueryExecutorProvider,
  { expiresAt, key, max }: Use,
  now: number,
): Promise<boolean> {
  const { rows } = await sql`
    insert into limit_use (use_key, used, expires_at) values (${key}, 1, ${expiresAt})
    on conflict (use_key) do update set
      used = case when limit_use.expires_at <= ${now} then 1 else limit_use.used + 1 end,
      expires_at = case
        when limit_use.expires_at < excluded.expires_at then excluded.expires_at
        else limit_use.expires_at end
    where limit_use.expires_at <= ${now} or limit_use.used < ${max}
    returning used
  `.execute(db)
  return rows.length === 1
}
