import { sql, type Kysely } from 'kysely'
import type { ActorPosting, ActorPostings } from '../revert/actor-postings.ts'
import type { Tables } from './tables.ts'

/** What `posting_day` counts by. */
const DAY_SECONDS = 86_400

type Row = {
  readonly posting_id: string
  readonly procedure: ActorPosting['procedure']
  readonly hold_id: string | null
  readonly account: string
  readonly amount_minor: number
  readonly currency: string
}

/** Creates the reading on Kysely. */
export function createKyselyActorPostings(db: Kysely<Tables>): ActorPostings {
  return {
    async list({ agentId, grantId, limit, ownerId, since }) {
      const { rows } = await sql<Row>`
        select p.id as posting_id, p.procedure, p.hold_id, e.account,
          case p.procedure when 'billing.capture' then h.captured_minor - (
            select cast(coalesce(sum(amount_minor), 0) as bigint) from refund where hold_id = h.id)
          else e.amount_minor end as amount_minor, e.currency
        from posting_day d
        join posting p on p.created_at >= d.day * 86400 and p.created_at < (d.day + 1) * 86400
          and p.owner_id = d.owner_id and p.agent_id = d.agent_id
        join entry e on e.posting_id = p.id and e.amount_minor > 0
          and (p.procedure <> 'billing.capture' or e.account like 'income:%')
        left join hold h on h.id = p.hold_id
        join account a on a.name = e.account and a.currency = e.currency
        where d.owner_id = ${ownerId} and d.agent_id = ${agentId} and d.day >= ${Math.floor(since / DAY_SECONDS)}
          and p.created_at >= ${since}
          and (cast(${grantId ?? null} as text) is null or p.grant_id = ${grantId ?? null} or exists (
            select 1 from hold_grant g where g.hold_id = p.hold_id and g.grant_id = ${grantId ?? null}))
          and (
            (p.procedure = 'billing.hold' and h.state = 'held')
            or (p.procedure = 'billing.capture' and h.captured_minor > (
              select coalesce(sum(amount_minor), 0) from refund where hold_id = h.id))
            or (p.procedure = 'billing.deposit' and not exists (
              select 1 from posting r where r.refers_to = p.id)))
        order by (case when p.procedure = 'billing.deposit' and a.balance_minor < e.amount_minor then 1 else 0 end),
          p.created_at, e.id limit ${limit}
      `.execute(db)
      return rows.map((row) => ({
        postingId: row.posting_id,
        procedure: row.procedure,
        holdId: row.hold_id ?? undefined,
        account: row.account,
        amountMinor: row.amount_minor,
        currency: row.currency,
      }))
    },
  }
}
