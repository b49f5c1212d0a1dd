import { sql, type Kysely } from 'kysely'
import type { BudgetKey, BudgetStore } from '../budgets/budget-store.ts'
import { createStatement } from './statement.ts'
import type { Tables } from './tables.ts'

const selectStates = createStatement<{ holdId: string }, { state: string }>((db, { holdId }) =>
  db.selectFrom('budget_hold').select('state').where('hold_id', '=', holdId),
)

const endHolds = createStatement<
  { holdId: string; state: 'captured' | 'given_back'; capturedMinor: number },
  unknown
>((db, { capturedMinor, holdId, state }) =>
  db
    .updateTable('budget_hold')
    .set({ state, captured_minor: capturedMinor })
    .where('hold_id', '=', holdId)
    .where('state', '=', sql.lit('held')),
)

/** Creates the store on Kysely. What is used follows from `budget_hold` by trigger. */
export function createKyselyBudgetStore(db: Kysely<Tables>): BudgetStore {
  async function find({ currency, identifier, ownerId }: BudgetKey) {
    const row = await db
      .selectFrom('budget_use')
      .selectAll()
      .where('identifier', '=', identifier)
      .where('currency', '=', currency)
      .$if(ownerId !== undefined, (query) => query.where('owner_id', '=', ownerId ?? ''))
      .executeTakeFirst()
    return (
      row && {
        capMinor: row.cap_minor,
        heldMinor: row.held_minor,
        capturedMinor: row.captured_minor,
      }
    )
  }

  return {
    find,

    async open({ capMinor, currency, identifier }, { now, ownerId }) {
      await db
        .insertInto('budget_use')
        .values({ identifier, currency, cap_minor: capMinor, owner_id: ownerId })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
      await db
        .updateTable('budget_hold')
        .set({ state: 'given_back' })
        .where('identifier', '=', identifier)
        .where('currency', '=', currency)
        .where('state', '=', 'held')
        .where('expires_at', '<=', now)
        .execute()
      const use = await find({ identifier, currency, ownerId: undefined })
      if (use === undefined) throw new TypeError('a budget is there once it was opened')
      return use
    },

    async hold({ currency, identifier }, { amountMinor, expiresAt, holdId }) {
      await db
        .insertInto('budget_hold')
        .values({
          hold_id: holdId,
          identifier,
          currency,
          amount_minor: amountMinor,
          state: 'held',
          expires_at: expiresAt,
        })
        .execute()
    },

    async capture(holdId, capturedMinor) {
      const { rows } = await selectStates(db, { holdId })
      if (rows.some(({ state }) => state === 'given_back')) return false
      if (rows.length > 0) await endHolds(db, { holdId, state: 'captured', capturedMinor })
      return true
    },

    async giveBack(holdId) {
      await endHolds(db, { holdId, state: 'given_back', capturedMinor: 0 })
    },
  }
}
