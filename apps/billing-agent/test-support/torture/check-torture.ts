// The book against what agents were told: balanced, with every acknowledged act once, and nothing beside them.
import { openDatabase, type DatabaseLocation } from '@deputy/storage'
import { sql, type Kysely } from 'kysely'
import { openStorage } from '../../src/storage/open-storage.ts'
import { migrations } from '../../src/storage/migrations.ts'
import type { Tables } from '../../src/storage/tables.ts'
import { verifyLedger } from '../../src/verify/verify-ledger.ts'
import type { Player } from './cast.ts'
import type { TortureRecord } from './record.ts'

type Look = {
  readonly db: Kysely<Tables>
  readonly record: TortureRecord
  readonly faults: string[]
}

/** Names everything that is wrong. */
export async function checkTorture(
  location: DatabaseLocation,
  record: TortureRecord,
  players: readonly Player[],
): Promise<{ readonly faults: readonly string[]; readonly postings: number }> {
  const faults: string[] = []
  await using storage = await openStorage(location)
  const { fault } = await verifyLedger(storage, { entries: 'all' })
  if (fault !== undefined) faults.push(`verify: ${fault.kind} ${fault.id}: ${fault.detail}`)
  await using database = await openDatabase<Tables>({ ...location, migrations })
  const look = { db: database.db, record, faults }
  await checkZero(look)
  const postings = await checkPostings(look)
  await checkHolds(look)
  await checkUsage(look)
  await checkAccounts(look, players)
  await checkQuotas(look)
  return { faults, postings }
}

async function checkZero({ db, faults }: Look): Promise<void> {
  const { rows } = await sql<{ owner_id: string; total: number }>`
    select p.owner_id, cast(sum(e.amount_minor) as bigint) as total
    from entry e join posting p on p.id = e.posting_id
    group by p.owner_id, e.currency
  `.execute(db)
  if (rows.length === 0) faults.push('the book is empty')
  for (const { owner_id, total } of rows)
    if (total !== 0) faults.push(`the book of ${owner_id} comes to ${String(total)}`)
}

/** As many of each kind as were acknowledged. */
async function checkPostings({ db, faults, record }: Look): Promise<number> {
  const { rows } = await sql<{ procedure: string; count: number }>`
    select procedure, count(*) as count from posting group by procedure
  `.execute(db)
  const found = new Map(rows.map(({ count, procedure }) => [procedure, count]))
  const holds = [...record.holds.values()]
  const expected = {
    'billing.deposit': [...record.deposits.values()].reduce((total, { count }) => total + count, 0),
    'billing.hold': holds.length,
    'billing.capture': holds.reduce((total, { captures }) => total + captures, 0),
    'billing.refund': record.refundIds.length,
  }
  for (const [procedure, count] of Object.entries(expected)) {
    const there = found.get(procedure) ?? 0
    if (there !== count)
      faults.push(`${String(there)} of ${procedure}, acknowledged were ${String(count)}`)
  }
  const refunds = await db.selectFrom('refund').select('id').execute()
  faults.push(...compareIds(refunds, record.refundIds).map((fault) => `refunds: ${fault}`))
  const statements = await db.selectFrom('statement').select('id').execute()
  faults.push(...compareIds(statements, record.statementIds).map((fault) => `statements: ${fault}`))
  return [...found.values()].reduce((total, count) => total + count, 0)
}

/** What is lost, or there and was never told. */
function compareIds(rows: readonly { readonly id: string }[], ids: readonly string[]): string[] {
  const found = new Set(rows.map(({ id }) => id))
  const lost = ids.filter((id) => !found.has(id))
  if (lost.length === 0 && found.size === ids.length) return []
  return [
    `of ${String(ids.length)} acknowledged ${String(lost.length)} are lost, ${String(found.size)} are there`,
  ]
}

/** Each ended as it was told, once, with the posting that says so. */
async function checkHolds({ db, faults, record }: Look): Promise<void> {
  const rows = await db.selectFrom('hold').selectAll().execute()
  const { rows: ends } = await sql<{ hold_id: string; placed: number; ended: number }>`
    select hold_id,
      sum(case procedure when 'billing.hold' then 1 else 0 end) as placed,
      sum(case when procedure in ('billing.capture', 'billing.release', 'billing.expire') then 1 else 0 end) as ended
    from posting where hold_id is not null group by hold_id
  `.execute(db)
  const endsOf = new Map(ends.map((row) => [row.hold_id, row]))
  const seen = new Set<string>()
  for (const row of rows) {
    seen.add(row.id)
    const known = record.holds.get(row.id)
    const { ended = 0, placed = 0 } = endsOf.get(row.id) ?? {}
    const isSound =
      known !== undefined &&
      known.amountMinor === row.amount_minor &&
      known.captures === (row.state === 'captured' ? 1 : 0) &&
      known.capturedMinor === row.captured_minor &&
      (known.releases === 0 || row.state === 'released') &&
      placed === 1 &&
      ended === (row.state === 'held' ? 0 : 1)
    if (!isSound)
      faults.push(`the hold ${row.id} is ${row.state}, told was ${JSON.stringify(known)}`)
  }
  const lost = [...record.holds.keys()].filter((id) => !seen.has(id))
  if (lost.length > 0) faults.push(`${String(lost.length)} acknowledged holds are lost`)
}

async function checkUsage({ db, faults, record }: Look): Promise<void> {
  const { rows } = await sql<{ name: string; quantity: number }>`
    select e.source || '/' || e.event_id as name, coalesce((
      select c.quantity from usage_event c where c.corrects = e.sequence
      order by c.sequence desc limit 1), e.quantity) as quantity
    from usage_event e where e.corrects is null
  `.execute(db)
  const wrong = rows.filter(({ name, quantity }) => record.usage.get(name) !== quantity)
  const all = await db
    .selectFrom('usage_event')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  const isWhole = rows.length === record.usage.size
  if (wrong.length > 0 || !isWhole || all.count !== rows.length + record.corrections) {
    faults.push(
      `usage: ${String(rows.length)} events, ${String(wrong.length)} wrong; acknowledged were ${String(record.usage.size)} and ${String(record.corrections)} corrections`,
    )
  }
}

/** What an account has is what was paid in, less what was taken, to the cent. */
async function checkAccounts({ db, faults, record }: Look, players: readonly Player[]) {
  const { rows: billed } = await sql<{ account: string; total: number }>`
    select account, cast(sum(amount_minor) as bigint) as total from statement_usage group by account
  `.execute(db)
  const billedOf = new Map(billed.map(({ account, total }) => [account, total]))
  const holds = [...record.holds.values()]
  for (const [account, ownerId] of new Map(players.map((one) => [one.account, one.ownerId]))) {
    const own = holds.filter((hold) => hold.account === account)
    const taken = own.reduce((total, hold) => total + hold.capturedMinor - hold.refundedMinor, 0)
    const paidIn = record.deposits.get(account)?.totalMinor ?? 0
    const expected = paidIn - taken - (billedOf.get(account) ?? 0)
    const suffix = ownerId === 'system' ? '' : `@${ownerId}`
    const rows = await db
      .selectFrom('account')
      .select('balance_minor')
      .where('name', 'in', [
        `agent:${account}${suffix}:available`,
        `agent:${account}${suffix}:held`,
      ])
      .execute()
    const found = rows.reduce((total, { balance_minor: balance }) => total + balance, 0)
    if (found !== expected)
      faults.push(`${account} has ${String(found)}, and should have ${String(expected)}`)
  }
}

/** What is refused is not beyond; what statements took for usage counts without being refused. */
async function checkQuotas({ db, faults }: Look): Promise<void> {
  const { rows } = await sql<{ id: string }>`
    select q.id from quota q join quota_use u on u.quota_id = q.id
    where u.held + u.used - (
      select coalesce(sum(c.used), 0) from quota_charge c
      where c.quota_id = q.id and c.period_start = u.period_start and c.is_bound = 0) > q.cap
  `.execute(db)
  for (const { id } of rows) faults.push(`more than the quota ${id} is spent`)
}
