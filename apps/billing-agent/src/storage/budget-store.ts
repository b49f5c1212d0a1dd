import type { Kysely } from 'kysely'
import type { BudgetStore } from '../budgets/budget-store.ts'
import type { Tables } from './tables.ts'

/** Creates the store on Kysely. What is used follows from `budget_hold` by trigger. */
export function createKyselyBudgetStore(db: Kysely<Tables>): BudgetStore {
  async function find(identifier: string, currency: string) {
    const row = await db
      .selectFrom('budget_use')
      .selectAll()
      .where('identifier', '=', identifier)
      .where('currency', '=', currency)
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

    async open({ capMinor, currency, identifier }, now) {
      await db
        .insertInto('budget_use')
        .values({ identifier, currency, cap_minor: capMinor })
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
      const use = await find(identifier, currency)
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
      const over = await db
        .selectFrom('budget_hold')
        .select('identifier')
        .where('hold_id', '=', holdId)
        .where('state', '=', 'given_back')
        .executeTakeFirst()
      if (over !== undefined) return false
      await db
        .updateTable('budget_hold')
        .set({ state: 'captured', captured_minor: capturedMinor })
        .where('hold_id', '=', holdId)
        .where('state', '=', 'held')
        .execute()
      return true
    },

    async giveBack(holdId) {
      await db
        .updateTable('budget_hold')
        .set({ state: 'given_back' })
        .where('hold_id', '=', holdId)
        .where('state', '=', 'held')
        .execute()
    },
  }
}
