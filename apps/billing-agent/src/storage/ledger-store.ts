import type { Kysely } from 'kysely'
import type { LedgerStore } from '../ledger/ledger-store.ts'
import { scaleOf } from '../ledger/currency.ts'
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
          owner_id: posting.ownerId,
          grant_id: posting.grantId ?? null,
          token_sha256: posting.tokenSha256 ?? null,
          trace_id: posting.traceId ?? null,
          hold_id: posting.holdId ?? null,
          refers_to: posting.refersTo ?? null,
        })
        .execute()
      await db
        .insertInto('account')
        .values(
          entries.map(({ account }) => ({
            name: account,
            currency,
            owner_id: posting.ownerId,
            scale: scaleOf(currency),
          })),
        )
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

    async listBalances(ownerId, currency) {
      const rows = await db
        .selectFrom('account')
        .select(['name', 'balance_minor'])
        .where('owner_id', '=', ownerId)
        .where('currency', '=', currency)
        .orderBy('name')
        .execute()
      return rows.map(({ balance_minor: balanceMinor, name: account }) => ({
        account,
        balanceMinor,
      }))
    },

    async findOfHold(holdId, procedure) {
      const row = await db
        .selectFrom('posting')
        .select('id')
        .where('hold_id', '=', holdId)
        .where('procedure', '=', procedure)
        .executeTakeFirst()
      return row?.id
    },
  }
}
