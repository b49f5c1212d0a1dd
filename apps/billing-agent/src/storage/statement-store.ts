import type { Kysely } from 'kysely'
import type { StatementStore } from '../statements/statement-store.ts'
import type { Tables } from './tables.ts'

/** SQLite takes 32,766 parameters in a statement; a line has four. */
const LINES_PER_INSERT = 1000

/** Creates the store on Kysely. */
export function createKyselyStatementStore(db: Kysely<Tables>): StatementStore {
  return {
    async insert({ lines, ...statement }) {
      await db
        .insertInto('statement')
        .values({
          id: statement.statementId,
          account: statement.account,
          currency: statement.currency,
          total_minor: statement.totalMinor,
          closed_at: statement.closedAt,
        })
        .execute()
      for (let from = 0; from < lines.length; from += LINES_PER_INSERT) {
        const rows = lines.slice(from, from + LINES_PER_INSERT).map((line) => ({
          hold_id: line.holdId,
          statement_id: statement.statementId,
          amount_minor: line.amountMinor,
          evidence: JSON.stringify(line.evidence),
        }))
        await db.insertInto('statement_line').values(rows).execute()
      }
    },
  }
}
