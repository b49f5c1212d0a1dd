// What the chains look like from outside: who wrote, how far, and what was signed off.
import { sql, type Kysely } from 'kysely'
import type { ChainHead } from '../audit/chain.ts'
import { readAnchor, readNamedHeads } from '../audit/trail-entries.ts'
import { toAuditEntry } from './audit-row.ts'
import type { Tables } from './tables.ts'

/** Far more than there ever are: each is a run of a server, and pruning drops the old ones. */
const MAX_WRITERS = 1_000_000

/** Lists writers, by hopping from each to the next in the index: there are few, with many entries. */
export async function listWriters(
  db: Kysely<Tables>,
  {
    afterId,
    limit = MAX_WRITERS,
  }: {
    readonly afterId?: string | undefined
    readonly limit?: number | undefined
  },
): Promise<readonly string[]> {
  const first =
    afterId === undefined
      ? sql`select min(writer_id) from audit_entry`
      : sql`select min(writer_id) from audit_entry where writer_id > ${afterId}`
  const { rows } = await sql<{ id: string }>`
    with recursive writer(id) as (
      ${first}
      union all
      select (select min(writer_id) from audit_entry where writer_id > writer.id)
      from writer where writer.id is not null
    )
    select id from writer where id is not null limit ${limit}
  `.execute(db)
  return rows.map(({ id }) => id)
}

/** Finds the newest entry of a writer. */
export async function findHead(
  db: Kysely<Tables>,
  writerId: string,
): Promise<ChainHead | undefined> {
  const row = await db
    .selectFrom('audit_entry')
    .select(['seq', 'hash'])
    .where('writer_id', '=', writerId)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row && { writerId, ...row }
}

/** Finds the heads that no writer has named when it started. */
export async function findUnnamedHeads(db: Kysely<Tables>): Promise<readonly ChainHead[]> {
  const named = new Set((await findNamedHeads(db)).map(toKey))
  const heads: ChainHead[] = []
  for (const writerId of await listWriters(db, {})) {
    const head = await findHead(db, writerId)
    if (head !== undefined && !named.has(toKey(head))) heads.push(head)
  }
  return heads
}

async function findNamedHeads(db: Kysely<Tables>): Promise<readonly ChainHead[]> {
  const rows = await selectEvent(db, 'writer.started').execute()
  return rows.map(toAuditEntry).flatMap(readNamedHeads)
}

/** What was signed off as dropped, and when. */
export type Anchor = ChainHead & { readonly at: number }

/** Finds by writer the last entry that was signed off as dropped. */
export async function findAnchors(db: Kysely<Tables>): Promise<ReadonlyMap<string, Anchor>> {
  const rows = await selectEvent(db, 'audit.pruned').execute()
  return toAnchors(rows)
}

/** Finds the last entry of one writer that was signed off as dropped. */
export async function findAnchor(
  db: Kysely<Tables>,
  writerId: string,
): Promise<ChainHead | undefined> {
  const rows = await selectEvent(db, 'audit.pruned').where('target_id', '=', writerId).execute()
  return toAnchors(rows).get(writerId)
}

function toAnchors(rows: readonly Parameters<typeof toAuditEntry>[0][]): Map<string, Anchor> {
  const anchors = new Map<string, Anchor>()
  for (const entry of rows.map(toAuditEntry)) {
    const anchor = readAnchor(entry)
    if (anchor === undefined || anchor.seq < (anchors.get(anchor.writerId)?.seq ?? 0)) continue
    anchors.set(anchor.writerId, { ...anchor, at: entry.at })
  }
  return anchors
}

function selectEvent(db: Kysely<Tables>, event: 'writer.started' | 'audit.pruned') {
  return (
    db
      .selectFrom('audit_entry')
      .selectAll()
      .where('event', '=', event)
      // Said once more, so that the partial index is known to hold it.
      .where('event', '<>', 'token.issued')
      .orderBy('id')
  )
}

function toKey({ hash, seq, writerId }: ChainHead): string {
  return `${writerId}:${String(seq)}:${hash}`
}
