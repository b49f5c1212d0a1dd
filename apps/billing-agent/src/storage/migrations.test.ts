import { openDatabase } from '@deputy/storage'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { createKyselyActorPostings } from './actor-postings.ts'
import { createKyselyAnswerStore } from './answer-store.ts'
import { createKyselyLedgerAudit } from './ledger-audit.ts'
import { NO_MARKS } from './work-marks.ts'
import { createKyselyLedgerStore } from './ledger-store.ts'
import { migrations } from './migrations.ts'
import type { Tables } from './tables.ts'

const [CREATE, ...LATER] = Object.entries(migrations)
const BEFORE_GUARDS = [
  `insert into account (name, currency) values ('external:funding', 'USD'), ('agent:alice:available', 'USD')`,
  `insert into posting values ('old', 'billing.deposit', 'operator', 'operator', 'token-1', 1)`,
  `insert into entry (posting_id, account, currency, amount_minor)
    values ('old', 'external:funding', 'USD', -100), ('old', 'agent:alice:available', 'USD', 100)`,
  `insert into posting_seal values ('old')`,
]

test('a book from before the guards keeps its balances and goes on', async () => {
  await using folder = await createTemporaryFolder()
  const file = folder.file('billing.sqlite')
  if (CREATE === undefined) throw new Error('there is no migration')
  const before = await openDatabase({ file, migrations: Object.fromEntries([CREATE]) })
  await before.db.transaction().execute(async (transaction) => {
    for (const statement of BEFORE_GUARDS) await sql.raw(statement).execute(transaction)
  })
  await before.close()

  await using after = await openDatabase<Tables>({ file, migrations })
  const ledger = createKyselyLedgerStore(after.db, NO_MARKS)
  await after.db.transaction().execute(async (transaction) =>
    createKyselyLedgerStore(transaction, NO_MARKS).post({
      id: 'new',
      ownerId: 'system',
      procedure: 'billing.hold',
      agentId: 'alice',
      subject: 'alice',
      credentialId: 'token-2',
      createdAt: 2,
      currency: 'USD',
      entries: [
        { account: 'agent:alice:available', amountMinor: -40 },
        { account: 'agent:alice:held', amountMinor: 40 },
      ],
    }),
  )

  const countAgain = sql`update account set balance_minor = -200, last_entry_id = 1
    where name = 'external:funding'`.execute(after.db)
  await expect(countAgain).rejects.toThrow('balances follow from entries')
  expect(LATER.length).toBeGreaterThan(0)
  expect(await ledger.listBalances('system', 'USD')).toEqual([
    { account: 'agent:alice:available', balanceMinor: 60 },
    { account: 'agent:alice:held', balanceMinor: 40 },
    { account: 'external:funding', balanceMinor: -100 },
  ])
  expect(await createKyselyLedgerAudit(after.db).findBroken({ afterId: 0, throughId: 99 })).toBe(
    undefined,
  )
})

test('a book from before the days of postings keeps its answers, and finds what an agent posted', async () => {
  await using folder = await createTemporaryFolder()
  const file = folder.file('billing.sqlite')
  const earlier = Object.entries(migrations).filter(([name]) => name < '009')
  const before = await openDatabase({ file, migrations: Object.fromEntries(earlier) })
  const day = 20_000
  await before.db.transaction().execute(async (transaction) => {
    for (const statement of [
      `insert into account (name, currency) values ('external:funding', 'USD'), ('agent:alice:available', 'USD')`,
      `insert into posting (id, procedure, agent_id, subject, credential_id, created_at)
        values ('old', 'billing.deposit', 'operator', 'operator', 'token-1', ${String(day * 86_400 + 5)})`,
      ...BEFORE_GUARDS.slice(2),
      `insert into idempotency values ('alice', 'key-2', 'billing.hold', 'y', '{"b":2}', 2),
        ('alice', 'key-1', 'billing.hold', 'x', '{"a":1}', 1)`,
    ]) {
      await sql.raw(statement).execute(transaction)
    }
  })
  await before.close()

  await using after = await openDatabase<Tables>({ file, migrations })

  const answers = createKyselyAnswerStore(after.db)
  expect(await answers.find('alice', 'key-2')).toMatchObject({ answer: '{"b":2}' })
  // The oldest goes first, whatever the order of the keys was.
  expect(await answers.prune(2, 10)).toBe(1)
  expect(await answers.find('alice', 'key-1')).toBe(undefined)
  const scope = { ownerId: 'system', agentId: 'operator', grantId: undefined, limit: 10 }
  const actors = createKyselyActorPostings(after.db)
  const posted = await actors.list({ ...scope, since: day * 86_400 + 5 })
  expect(posted).toMatchObject([{ postingId: 'old', amountMinor: 100 }])
  expect(await actors.list({ ...scope, since: day * 86_400 + 6 })).toEqual([])
  const forge = sql`update posting_day set day = 0`.execute(after.db)
  await expect(forge).rejects.toThrow('the days of postings are final')
})

test('a book from before answers were found by their key first keeps them, and their order', async () => {
  await using folder = await createTemporaryFolder()
  const file = folder.file('billing.sqlite')
  const earlier = Object.entries(migrations).filter(([name]) => name < '011')
  const before = await openDatabase({ file, migrations: Object.fromEntries(earlier) })
  await sql`insert into answer (agent_id, key, procedure, body_sha256, answer, created_at)
    values ('bob', 'key-2', 'billing.hold', 'x', '{"b":1}', 1),
      ('alice', 'key-2', 'billing.hold', 'y', '{"a":2}', 2)`.execute(before.db)
  await before.close()

  await using after = await openDatabase<Tables>({ file, migrations })

  const answers = createKyselyAnswerStore(after.db)
  expect(await answers.find('alice', 'key-2')).toMatchObject({ answer: '{"a":2}' })
  // One key of two agents is two keys, and neither can be used again.
  const work = { procedure: 'billing.hold', bodySha256: 'z' }
  expect(await answers.claim({ agentId: 'bob', key: 'key-2', createdAt: 3 }, work)).toBe(false)
  expect(await answers.claim({ agentId: 'carol', key: 'key-2', createdAt: 3 }, work)).toBe(true)
  expect(await answers.prune(2, 10)).toBe(1)
  expect(await answers.find('bob', 'key-2')).toBe(undefined)
})
