import type { Kysely } from 'kysely'
import type { StatementStore } from '../statements/statement-store.ts'
import type { Tables } from './tables.ts'

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
      if (lines.length === 0) return
      await db
        .insertInto('statement_line')
        .values(
          lines.map((line) => ({
            hold_id: line.holdId,
            statement_id: statement.statementId,
            amount_minor: line.amountMinor,
            evidence: JSON.stringify(line.evidence),
          })),
        )
        .execute()
    },
  }
}
