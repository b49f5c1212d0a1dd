// Finds entries within a range of ids. One condition leads through an index; the others are checked on
// what it finds. Long ranges are cut into windows by the caller, so that no statement takes long.
import { sql, type Kysely, type RawBuilder } from 'kysely'
import type { AuditSelection } from '../audit/audit-trail.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import type { AuditEntryRow } from './audit-row.ts'
import type { Tables } from './tables.ts'

/** Ids in a bucket, as the migration has it. */
export const BUCKET_IDS = 256

/** Ids from `fromId` to before `toId`. */
export type IdRange = { readonly fromId: number; readonly toId: number }

export type SelectEntries = {
  /** How many ids one run should look at. */
  readonly windowIds: number
  run(range: IdRange, limit: number): Promise<readonly AuditEntryRow[]>
}

export type SelectOptions = AuditSelection & { readonly direction: 'asc' | 'desc' }

type Condition = {
  /** Used when it leads. */
  readonly leading: RawBuilder<unknown>
  /** Used when it does not: written so that no index fits. */
  readonly filtering: RawBuilder<unknown>
  /** Whether the index that it leads through begins with the bucket. */
  readonly isBucketed: boolean
}

/** Windows for a query that an index answers alone, and for one that looks at rows besides. */
const WINDOW_IDS = { sparse: 1024 * BUCKET_IDS, dense: 64 * BUCKET_IDS } as const

/** Creates the statement for a selection. */
export function createSelectEntries(db: Kysely<Tables>, options: SelectOptions): SelectEntries {
  const [leading, ...others] = listConditions(options)
  const order = sql.raw(options.direction)
  const filters = others.map(({ filtering }) => sql` and ${filtering}`)
  const filter = sql.join(filters, sql``)

  return {
    windowIds: leading !== undefined && others.length === 0 ? WINDOW_IDS.sparse : WINDOW_IDS.dense,

    async run({ fromId, toId }, limit) {
      const range = sql`entry.id >= ${fromId} and entry.id < ${toId}`
      const end = sql`order by entry.id ${order} limit ${limit}`
      if (leading === undefined || !leading.isBucketed) {
        const lead = leading === undefined ? sql`` : sql` and ${leading.leading}`
        const query = sql<AuditEntryRow>`
          select entry.* from audit_entry as entry where ${range}${lead}${filter} ${end}`
        return (await query.execute(db)).rows
      }
      const first = Math.floor(fromId / BUCKET_IDS)
      const last = Math.floor((toId - 1) / BUCKET_IDS)
      const query = sql<AuditEntryRow>`
        with recursive span(bucket) as (
          select cast(${first} as bigint)
          union all
          select bucket + 1 from span where bucket < cast(${last} as bigint)
        )
        select entry.* from span cross join audit_entry as entry
        where entry.bucket = span.bucket and ${leading.leading} and ${range}${filter} ${end}`
      return (await query.execute(db)).rows
    },
  }
}

/** The conditions, the one that leaves the fewest entries first. */
function listConditions({ filter, within }: AuditSelection): readonly Condition[] {
  const { actorId, correlationId, event, fromAt, grantId, outcome, ownerId, subjectId, toAt } =
    filter
  const { tokenId } = filter
  const conditions: (Condition | undefined)[] = [
    equals('correlation_id', correlationId),
    equals('grant_id', grantId),
    subjectId === undefined ? undefined : isSubject(subjectId),
    equals('actor_id', actorId),
    event === undefined ? undefined : isOfFew('event', { value: event, usual: 'token.issued' }),
    outcome === undefined ? undefined : isOfFew('outcome', { value: outcome, usual: 'success' }),
    within === EVERY_OWNER ? undefined : equals('owner_id', within),
    equals('owner_id', ownerId),
    tokenId === undefined ? undefined : isToken(tokenId),
    fromAt === undefined && toAt === undefined ? undefined : isBetween(fromAt, toAt),
  ]
  const given = conditions.filter((condition) => condition !== undefined)
  // Most entries have the usual event and outcome: no index is kept for them, and they lead nowhere.
  return given.toSorted((a, b) => Number(isWeak(a)) - Number(isWeak(b)))
}

function isWeak({ filtering, leading }: Condition): boolean {
  return filtering === leading
}

type IdColumn = 'correlation_id' | 'grant_id' | 'actor_id' | 'owner_id'

function equals(column: IdColumn, value: string | undefined): Condition | undefined {
  if (value === undefined) return undefined
  const reference = sql.ref(`entry.${column}`)
  return {
    leading: sql`${reference} = ${value}`,
    filtering: sql`coalesce(${reference}, '') = ${value}`,
    isBucketed: true,
  }
}

/** The index over subjects holds only those that are not the actor, whom the actor's own index finds. */
function isSubject(subjectId: string): Condition {
  return {
    leading: sql`(
      (entry.subject_id = ${subjectId} and entry.subject_id is distinct from entry.actor_id)
      or (entry.actor_id = ${subjectId} and entry.subject_id = ${subjectId})
    )`,
    filtering: sql`coalesce(entry.subject_id, '') = ${subjectId}`,
    isBucketed: true,
  }
}

/** No index is kept for it: it is one of the agent's tokens of the last minutes. */
function isToken(tokenId: string): Condition {
  const filtering = sql`coalesce(entry.token_id, '') = ${tokenId}`
  return { leading: filtering, filtering, isBucketed: false }
}

function isOfFew(
  column: 'event' | 'outcome',
  { usual, value }: { readonly value: string; readonly usual: string },
): Condition {
  const reference = sql.ref(`entry.${column}`)
  const filtering = sql`coalesce(${reference}, '') = ${value}`
  if (value === usual) return { leading: filtering, filtering, isBucketed: false }
  // Both as text: the planner takes the partial index only where it sees that it holds the value.
  const leading = sql`${reference} = ${value} and ${reference} <> ${sql.lit(usual)}`
  return { leading, filtering, isBucketed: false }
}

function isBetween(fromAt = 0, toAt = Number.MAX_SAFE_INTEGER): Condition {
  return {
    leading: sql`entry.at >= ${fromAt} and entry.at < ${toAt}`,
    filtering: sql`coalesce(entry.at, 0) >= ${fromAt} and coalesce(entry.at, 0) < ${toAt}`,
    isBucketed: true,
  }
}
