import { randomUUID } from 'node:crypto'
import type { Kysely, Selectable } from 'kysely'
import type { FeedEntry, Revocation, RevocationStore } from '../revocation/revocation-store.ts'
import type { RevocationTable, Tables } from './tables.ts'

/** Creates the store on Kysely. */
export function createKyselyRevocationStore(db: Kysely<Tables>): RevocationStore {
  /** The row is locked until the transaction ends, so that numbers are seen in their order. */
  async function takeNumber(): Promise<number> {
    const { last_seq: seq } = await db
      .updateTable('revocation_feed')
      .set((expression) => ({ last_seq: expression('last_seq', '+', 1) }))
      .returning('last_seq')
      .executeTakeFirstOrThrow()
    return seq
  }

  return {
    async insert({ expiresAt, id, kind }, revokedAt) {
      const known = await db
        .selectFrom('revocation')
        .select('expires_at')
        .where('kind', '=', kind)
        .where('denied_id', '=', id)
        .executeTakeFirst()
      if (known !== undefined && known.expires_at >= expiresAt) return false
      const seq = await takeNumber()
      const row = { seq, kind, denied_id: id, revoked_at: revokedAt, expires_at: expiresAt }
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('revocation')
        .values(row)
        .onConflict((conflict) =>
          conflict
            .columns(['kind', 'denied_id'])
            .doUpdateSet({ seq, expires_at: expiresAt })
            .where('revocation.expires_at', '<', expiresAt),
        )
        .executeTakeFirstOrThrow()
      return numInsertedOrUpdatedRows === 1n
    },

    async insertChange({ expiresAt, id, kind }, changedAt) {
      const seq = await takeNumber()
      const at = { seq, revoked_at: changedAt, expires_at: expiresAt }
      await db
        .insertInto('revocation')
        .values({ ...at, kind, denied_id: id })
        .onConflict((conflict) => conflict.columns(['kind', 'denied_id']).doUpdateSet(at))
        .execute()
    },

    async hold() {
      // Whoever denies something changes this row. Many may hold it at once.
      await db.selectFrom('revocation_feed').select('last_seq').forShare().execute()
    },

    async findDenial({ agentIds, grantIds }) {
      const row = await db
        .selectFrom('revocation')
        .selectAll()
        .where((eb) => {
          const isOf = (kind: 'grant' | 'agent', ids: readonly string[]) =>
            // A list of nothing is no SQL.
            ids.length === 0 ? [] : eb.and([eb('kind', '=', kind), eb('denied_id', 'in', [...ids])])
          return eb.or([isOf('grant', grantIds), isOf('agent', agentIds)].flat())
        })
        .orderBy('seq')
        .limit(1)
        .executeTakeFirst()
      return row && toRevocation(row, row.kind === 'agent' ? 'agent' : 'grant')
    },

    async listAfter(seq, limit) {
      const rows = await db
        .selectFrom('revocation')
        .selectAll()
        .where('seq', '>', seq)
        .orderBy('seq')
        .limit(limit)
        .execute()
      return rows.map((row): FeedEntry => toEntry(row))
    },

    async head() {
      const row = await db.selectFrom('revocation_feed').selectAll().executeTakeFirstOrThrow()
      return { feedId: row.feed_id, seq: row.last_seq }
    },

    async renameFeed() {
      await db.updateTable('revocation_feed').set({ feed_id: randomUUID() }).execute()
    },
    async prune(now) {
      const result = await db
        .deleteFrom('revocation')
        .where('expires_at', '<=', now)
        .executeTakeFirstOrThrow()
      return Number(result.numDeletedRows)
    },
  }
}

function toEntry(row: Selectable<RevocationTable>): FeedEntry {
  const { kind } = row
  return kind === 'change' ? { ...toPlace(row), kind } : toRevocation(row, kind)
}

function toRevocation(row: Selectable<RevocationTable>, kind: Revocation['kind']): Revocation {
  return { ...toPlace(row), kind }
}

function toPlace(row: Selectable<RevocationTable>): Omit<Revocation, 'kind'> {
  return {
    seq: row.seq,
    id: row.denied_id,
    revokedAt: row.revoked_at,
    expiresAt: row.expires_at,
  }
}
