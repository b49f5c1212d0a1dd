import { sql, type Kysely } from 'kysely'
import type { LedgerStore } from '../ledger/ledger-store.ts'
import { assertBalanced } from '../ledger/posting.ts'
import type { Tables } from './tables.ts'

/** Creates the book on Kysely. */
export function createKyselyLedgerStore(db: Kysely<Tables>): LedgerStore {
  return {
    async post({ createdAt, currency, entries, ...posting }) {
      assertBalanced(entries)
      await db
        .insertInto('posting')
        .values({
          id: posting.id,
          procedure: posting.procedure,
          agent_id: posting.agentId,
          subject: posting.subject,
          credential_id: posting.credentialId,
          created_at: createdAt,
        })
        .execute()
      await db
        .insertInto('account')
        .values(entries.map(({ account }) => ({ name: account, currency })))
        .onConflict((conflict) => conflict.doNothing())
        .execute()
      await db
        .insertInto('entry')
        .values(
          entries.map(({ account, amountMinor }) => ({
            posting_id: posting.id,
            account,
            currency,
            amount_minor: amountMinor,
          })),
        )
        .execute()
      await db.insertInto('posting_seal').values({ posting_id: posting.id }).execute()
    },

    async balanceOf(account, currency) {
      const row = await db
        .selectFrom('account')
        .select('balance_minor')
        .where('name', '=', account)
        .where('currency', '=', currency)
        .executeTakeFirst()
      return row?.balance_minor ?? 0
    },

    async listBalances(currency) {
      const rows = await db
        .selectFrom('account')
        .select(['name', 'balance_minor'])
        .where('currency', '=', currency)
        .orderBy('name')
        .execute()
      return rows.map(({ balance_minor: balanceMinor, name: account }) => ({
        account,
        balanceMinor,
      }))
    },

    async verify() {
      const wrong = await sql<{ name: string; currency: string }>`
        select a.name, a.currency from account a
        left join entry e on e.account = a.name and e.currency = a.currency
        group by a.name, a.currency
        having a.balance_minor <> coalesce(sum(e.amount_minor), 0)
      `.execute(db)
      const unsealed = await sql<{ id: string }>`
        select p.id from posting p
        where (select count(*) < 2 or sum(amount_minor) <> 0 or count(distinct currency) <> 1
            from entry where posting_id = p.id)
          or not exists (select 1 from posting_seal where posting_id = p.id)
      `.execute(db)
      return [
        ...wrong.rows.map(
          ({ currency, name }) => `balance of ${name} in ${currency} is not its entries`,
        ),
        ...unsealed.rows.map(({ id }) => `posting ${id} does not balance`),
      ]
    },
  }
}
