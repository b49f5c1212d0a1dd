import type { Clock } from '@deputy/auth/protocol'
import type { Database } from '@deputy/storage'
import type { AuditTrail } from '../audit/audit-trail.ts'
import type { ChainHead } from '../audit/chain.ts'
import type { ChainSource } from '../audit/chain-source.ts'
import { findAnchor, listWriters } from './audit-heads.ts'
import { createAuditPruning } from './audit-pruning.ts'
import { createAuditReader } from './audit-reader.ts'
import { toStoredLink } from './audit-row.ts'
import type { AuditWriter } from './audit-writer.ts'
import type { Tables } from './tables.ts'

export type KyselyAuditTrailOptions = {
  readonly db: Database<Tables>['db']
  readonly writer: AuditWriter
  /** The newest entries of this server's own chains that are on disk. */
  readonly ownHeads: () => readonly ChainHead[]
  readonly clock: Clock
}

/** Creates the trail on Kysely. */
export function createKyselyAuditTrail(options: KyselyAuditTrailOptions): AuditTrail {
  const { clock, db, ownHeads, writer } = options
  return {
    ...createAuditReader(db, clock),
    ...createChainSource(db),
    record: async (event) => writer.record(event),
    onAppend: (listener) => writer.onAppend(listener),
    ownHeads,
    prune: createAuditPruning({ db, writer }),
  }
}

function createChainSource(db: Database<Tables>['db']): ChainSource {
  return {
    listWriters: async (afterId, limit) => listWriters(db, { afterId, limit }),
    findAnchor: async (writerId) => findAnchor(db, writerId),

    async listLinks({ afterSeq, limit, writerId }) {
      const rows = await db
        .selectFrom('audit_entry')
        .selectAll()
        .where('writer_id', '=', writerId)
        .$if(afterSeq !== undefined, (query) => query.where('seq', '>', afterSeq ?? 0))
        .orderBy('seq')
        .limit(limit)
        .execute()
      return rows.map(toStoredLink)
    },

    async findHash(writerId, seq) {
      const row = await db
        .selectFrom('audit_entry')
        .select('hash')
        .where('writer_id', '=', writerId)
        .where('seq', '=', seq)
        .executeTakeFirst()
      return row?.hash
    },
  }
}
