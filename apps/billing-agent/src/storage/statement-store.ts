import { StatementLine, type StatementHead } from '@deputy/contracts/billing'
import type { Kysely, Selectable } from 'kysely'
import type { StatementStore } from '../statements/statement-store.ts'
import { isGivenBackWhole } from './given-back-whole.ts'
import { toUsageLine, toUsageRow } from './statement-usage-rows.ts'
import type { StatementTable, Tables } from './tables.ts'

/** SQLite takes 32,766 parameters in a statement; a line has four. */
const LINES_PER_INSERT = 1000

/** Creates the store on Kysely. */
export function createKyselyStatementStore(db: Kysely<Tables>): StatementStore {
  return {
    async insert({ credits, lines, usage, ...statement }) {
      await db
        .insertInto('statement')
        .values({
          id: statement.statementId,
          owner_id: statement.ownerId,
          number: statement.number,
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
      for (const { refundId } of credits) {
        await db
          .insertInto('statement_credit')
          .values({ refund_id: refundId, statement_id: statement.statementId })
          .execute()
      }
      for (const line of usage) {
        await db.insertInto('statement_usage').values(toUsageRow(statement, line)).execute()
      }
    },

    async nextNumber(ownerId) {
      const row = await db
        .selectFrom('statement')
        .select((eb) => eb.fn.max('number').as('last'))
        .where('owner_id', '=', ownerId)
        .executeTakeFirst()
      return (row?.last ?? 0) + 1
    },

    async listUncredited({ agentId, ownerId }, currency) {
      const rows = await selectCredits(db)
        .leftJoin('statement_credit', 'statement_credit.refund_id', 'refund.id')
        .where('hold.owner_id', '=', ownerId)
        .where('hold.account', '=', agentId)
        .where('hold.currency', '=', currency)
        .where('statement_credit.refund_id', 'is', null)
        .where((eb) => eb.not(isGivenBackWhole))
        .execute()
      return rows
    },

    async find(ownerId, statementId) {
      const row = await db
        .selectFrom('statement')
        .selectAll()
        .where('id', '=', statementId)
        .$if(ownerId !== undefined, (query) => query.where('owner_id', '=', ownerId ?? ''))
        .executeTakeFirst()
      if (row === undefined) return undefined
      const lines = await db
        .selectFrom('statement_line')
        .innerJoin('hold', 'hold.id', 'statement_line.hold_id')
        .select([
          'hold.id',
          'hold.reference',
          'hold.ended_at',
          'statement_line.amount_minor',
          'evidence',
        ])
        .where('statement_id', '=', statementId)
        .orderBy('hold.ended_at')
        .orderBy('hold.id')
        .execute()
      const credits = await selectCredits(db)
        .innerJoin('statement_credit', 'statement_credit.refund_id', 'refund.id')
        .where('statement_credit.statement_id', '=', statementId)
        .execute()
      const usage = await db
        .selectFrom('statement_usage')
        .selectAll()
        .where('statement_id', '=', statementId)
        .orderBy('period_start')
        .orderBy('meter')
        .execute()
      return {
        ...toHead(row),
        lines: lines.map((line) => ({
          holdId: line.id,
          reference: line.reference,
          amountMinor: line.amount_minor,
          capturedAt: line.ended_at ?? row.closed_at,
          evidence: StatementLine.shape.evidence.parse(JSON.parse(line.evidence)),
        })),
        credits,
        usage: usage.map(toUsageLine),
      }
    },

    async list(ownerId, { account, limit }) {
      const rows = await db
        .selectFrom('statement')
        .selectAll()
        .where('owner_id', '=', ownerId)
        .$if(account !== undefined, (query) => query.where('account', '=', account ?? ''))
        .orderBy('closed_at', 'desc')
        .orderBy('number', 'desc')
        .limit(limit)
        .execute()
      return rows.map(toHead)
    },
  }
}

function selectCredits(db: Kysely<Tables>) {
  return db
    .selectFrom('refund')
    .innerJoin('hold', 'hold.id', 'refund.hold_id')
    .select([
      'refund.id as refundId',
      'refund.hold_id as holdId',
      'refund.amount_minor as amountMinor',
      'refund.reason as reason',
      'refund.created_at as refundedAt',
    ])
    .orderBy('refund.created_at')
    .orderBy('refund.id')
}

function toHead(row: Selectable<StatementTable>): StatementHead {
  return {
    statementId: row.id,
    number: row.number,
    ownerId: row.owner_id,
    account: row.account,
    currency: row.currency,
    totalMinor: row.total_minor,
    closedAt: row.closed_at,
  }
}
