import { sql, type Kysely } from 'kysely'
import type { QuotaPeriod } from '@deputy/contracts/billing'
import type { Level, LevelStore, Levels } from '../metrics/level-store.ts'
import { periodOf } from '../periods/period.ts'
import type { Tables } from './tables.ts'

type LevelRow = { readonly level: Level; readonly number: number | string }

/** Creates the reading on Kysely. Each query is of what is open, or set, and not of all that ever was. */
export function createKyselyLevelStore(db: Kysely<Tables>): LevelStore {
  return {
    async read(now) {
      const openHolds = await db
        .selectFrom('hold')
        .select(({ fn }) => [
          'currency',
          fn.countAll<number | string>().as('holds'),
          fn.sum<number | string>('amount_minor').as('held'),
        ])
        .where('state', '=', 'held')
        .where('expires_at', '>', now)
        .groupBy('currency')
        .orderBy('currency')
        .execute()
      const budgets = await sql<LevelRow>`
        select ${levelOf(sql`held_minor + captured_minor`, sql`cap_minor`)} as level, count(*) as number
        from budget_use where (identifier, currency) in (
          select identifier, currency from budget_hold where state = 'held')
        group by 1`.execute(db)
      const starts = (['day', 'month', 'year', 'total'] satisfies QuotaPeriod[]).map(
        (period) => sql`when ${period} then ${sql.lit(periodOf(period, now).startsAt)}`,
      )
      const quotas = await sql<LevelRow>`
        select ${levelOf(sql`coalesce(u.held + u.used, 0)`, sql`q.cap`)} as level, count(*) as number
        from quota q left join quota_use u on u.quota_id = q.id
          and u.period_start = (case q.period ${sql.join(starts, sql` `)} end)
        where q.cap is not null group by 1`.execute(db)
      return {
        openHolds: openHolds.map(({ currency, held, holds }) => ({
          currency,
          holds: Number(holds),
          heldMinor: Number(held),
        })),
        budgets: toLevels(budgets.rows),
        quotas: toLevels(quotas.rows),
      }
    },
  }
}

const levelOf = (spent: ReturnType<typeof sql>, cap: ReturnType<typeof sql>) =>
  sql`case when ${spent} >= ${cap} then 'reached' when ${spent} * 100 >= ${cap} * 80 then 'from_80' else 'below_80' end`

function toLevels(rows: readonly LevelRow[]): Levels {
  const levels = { below_80: 0, from_80: 0, reached: 0 }
  for (const { level, number } of rows) levels[level] = Number(number)
  return levels
}
