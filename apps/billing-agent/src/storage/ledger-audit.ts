import { sql, type Kysely } from 'kysely'
import type { AccountSum, LedgerAudit, LedgerFault } from '../verify/ledger-audit.ts'
import type { Tables } from './tables.ts'

/** Creates the audit on Kysely. */
export function createKyselyLedgerAudit(db: Kysely<Tables>): LedgerAudit {
  return {
    async findEnd(afterId, entries) {
      const { rows } = await sql<{ id: number | null }>`
        select max(id) as id from entry where posting_id = (
          select posting_id from entry where id = (
            select max(id) from (
              select id from entry where id > ${afterId} order by id limit ${entries}) as stretch))
      `.execute(db)
      return rows[0]?.id ?? undefined
    },

    async findBroken({ afterId, throughId }) {
      const { rows } = await sql<{ id: string; first: number; total: number; sealed: number }>`
        select e.posting_id as id, min(e.id) as first, cast(sum(e.amount_minor) as bigint) as total,
          count(s.posting_id) as sealed
        from entry e left join posting_seal s on s.posting_id = e.posting_id
        where e.id > ${afterId} and e.id <= ${throughId}
        group by e.posting_id
        having count(*) < 2 or sum(e.amount_minor) <> 0 or count(distinct e.currency) <> 1
          or count(s.posting_id) <> count(*)
        order by min(e.id) limit 1
      `.execute(db)
      const [row] = rows
      if (row === undefined) return undefined
      const isSealed = row.sealed > 0
      return {
        kind: isSealed ? 'posting_unbalanced' : 'posting_unsealed',
        id: row.id,
        detail: isSealed
          ? `its entries sum to ${String(row.total)} minor units, or are of several currencies`
          : 'it has no seal',
      } satisfies LedgerFault
    },

    async sum({ afterId, throughId }) {
      const { rows } = await sql<{
        account: string
        currency: string
        total: number
        last: number
      }>`
        select account, currency, cast(sum(amount_minor) as bigint) as total, max(id) as last
        from entry where id > ${afterId} and id <= ${throughId} group by account, currency
      `.execute(db)
      return rows.map(({ account, currency, last, total }) => ({
        account,
        currency,
        balanceMinor: total,
        lastEntryId: last,
      }))
    },

    async listAccounts() {
      const rows = await db.selectFrom('account').selectAll().orderBy('name').execute()
      return rows.map((row) => ({
        account: row.name,
        currency: row.currency,
        balanceMinor: row.balance_minor,
        lastEntryId: row.last_entry_id,
        ownerId: row.owner_id,
      }))
    },

    async findHeldWrong() {
      const { rows } = await sql<{ name: string; balance: number; held: number }>`
        select a.name, a.balance_minor as balance, cast(coalesce(h.held, 0) as bigint) as held
        from account a left join (
          select owner_id, account, currency, sum(amount_minor) as held
          from hold where state = 'held' group by owner_id, account, currency
        ) h on h.currency = a.currency and h.owner_id = a.owner_id and a.name =
          'agent:' || h.account || (case h.owner_id when 'system' then '' else '@' || h.owner_id end) || ':held'
        where a.name like 'agent:%:held' and a.balance_minor <> coalesce(h.held, 0)
        order by a.name limit 1
      `.execute(db)
      const [row] = rows
      return (
        row && {
          kind: 'held_wrong' as const,
          id: row.name,
          detail: `it says ${String(row.balance)}, its open holds come to ${String(row.held)}`,
        }
      )
    },

    async findCountWrong() {
      const { rows } = await sql<{ id: string; says: number; comes: number }>`
        select * from (
          select u.identifier as id, u.held_minor + u.captured_minor as says, (
            select cast(coalesce(sum(
              case state when 'held' then amount_minor else captured_minor end), 0) as bigint)
            from budget_hold b where b.identifier = u.identifier and b.currency = u.currency) as comes
          from budget_use u
          union all
          select q.quota_id, q.held + q.used, (
            select cast(coalesce(sum(case state when 'held' then amount else c.used end), 0) as bigint)
            from quota_charge c where c.quota_id = q.quota_id and c.period_start = q.period_start)
          from quota_use q) as counted
        where says <> comes order by id limit 1
      `.execute(db)
      const [row] = rows
      return (
        row && {
          kind: 'count_wrong' as const,
          id: row.id,
          detail: `it says ${String(row.says)}, what was counted comes to ${String(row.comes)}`,
        }
      )
    },

    async readVerified() {
      const rows = await db.selectFrom('verified_balance').selectAll().execute()
      return rows.map(toSum)
    },

    async writeVerified(sums) {
      for (const { account, balanceMinor, currency, lastEntryId } of sums) {
        const values = { balance_minor: balanceMinor, last_entry_id: lastEntryId }
        await db
          .insertInto('verified_balance')
          .values({ account, currency, ...values })
          .onConflict((conflict) =>
            conflict
              .columns(['account', 'currency'])
              .doUpdateSet(values)
              .where('verified_balance.last_entry_id', '<=', lastEntryId),
          )
          .execute()
      }
    },

    async listEntries(ownerId, { afterId, throughId }) {
      const rows = await db
        .selectFrom('entry')
        .innerJoin('posting', 'posting.id', 'entry.posting_id')
        .innerJoin('account', (join) =>
          join
            .onRef('account.name', '=', 'entry.account')
            .onRef('account.currency', '=', 'entry.currency'),
        )
        .select([
          'entry.id',
          'entry.posting_id',
          'entry.account',
          'entry.amount_minor',
          'entry.currency',
          'account.scale',
          'posting.procedure',
          'posting.agent_id',
          'posting.subject',
          'posting.grant_id',
          'posting.trace_id',
          'posting.token_sha256',
          'posting.hold_id',
          'posting.refers_to',
          'posting.created_at',
        ])
        .where('posting.owner_id', '=', ownerId)
        .where('entry.id', '>', afterId)
        .where('entry.id', '<=', throughId)
        .orderBy('entry.id')
        .execute()
      return rows.map((row) => ({
        id: row.id,
        postingId: row.posting_id,
        account: row.account,
        amountMinor: row.amount_minor,
        currency: row.currency,
        scale: row.scale,
        procedure: row.procedure,
        agentId: row.agent_id,
        subject: row.subject,
        grantId: row.grant_id ?? undefined,
        traceId: row.trace_id ?? undefined,
        tokenSha256: row.token_sha256 ?? undefined,
        holdId: row.hold_id ?? undefined,
        refersTo: row.refers_to ?? undefined,
        createdAt: row.created_at,
      }))
    },
  }
}

type SumRow = {
  readonly account: string
  readonly currency: string
  readonly balance_minor: number
  readonly last_entry_id: number
}

function toSum(row: SumRow): AccountSum {
  return {
    account: row.account,
    currency: row.currency,
    balanceMinor: row.balance_minor,
    lastEntryId: row.last_entry_id,
  }
}
