// The book defends itself: whoever gets past the code still has SQL's own rules to break.
import { openDatabase, type Database } from '@deputy/storage'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { createKyselyLedgerStore } from './ledger-store.ts'
import { migrations } from './migrations.ts'
import type { Tables } from './tables.ts'

const POSTING = {
  procedure: 'billing.deposit',
  agentId: 'operator',
  subject: 'operator',
  credentialId: 'token-1',
  createdAt: 1,
  currency: 'USD',
}

async function openLedger() {
  const database = await openDatabase<Tables>({ file: ':memory:', migrations })
  const deposit = async (id: string, amountMinor: number) =>
    database.db.transaction().execute(async (transaction) =>
      createKyselyLedgerStore(transaction).post({
        ...POSTING,
        id,
        entries: [
          { account: 'external:funding', amountMinor: -amountMinor },
          { account: 'agent:alice:available', amountMinor },
        ],
      }),
    )
  await deposit('posting-1', 100)
  const ledger = createKyselyLedgerStore(database.db)
  return { ...database, ledger, deposit }
}

/** Runs statements in one transaction, as an intruder with a database connection would. */
async function cheat({ db }: Database<Tables>, ...statements: string[]): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    for (const statement of statements) await sql.raw(statement).execute(transaction)
  })
}

const posting = (id: string): string =>
  `insert into posting values ('${id}', 'p', 'a', 's', 'c', 1)`
const entry = (id: string, account: string, amount: number): string =>
  `insert into entry (posting_id, account, currency, amount_minor) values ('${id}', '${account}', 'USD', ${String(amount)})`
const seal = (id: string): string => `insert into posting_seal values ('${id}')`

describe('SQL refuses', () => {
  test.each([
    ['changing an entry', [`update entry set amount_minor = 1`], 'entries are final'],
    ['removing an entry', [`delete from entry`], 'entries are final'],
    ['changing a posting', [`update posting set subject = 'mallory'`], 'postings are final'],
    ['removing a posting', [`delete from posting`], 'postings are final'],
    ['breaking a seal', [`delete from posting_seal`], 'seals are final'],
    ['an entry into a sealed posting', [entry('posting-1', 'external:funding', 5)], 'is sealed'],
    [
      'a posting that does not balance',
      [
        posting('x'),
        entry('x', 'agent:alice:available', 5),
        entry('x', 'external:funding', -4),
        seal('x'),
      ],
      'do not balance',
    ],
    [
      'a posting of one entry',
      [posting('x'), entry('x', 'agent:alice:available', 5), seal('x')],
      'do not balance',
    ],
    ['a posting without entries', [posting('x'), seal('x')], 'do not balance'],
    [
      'a posting that mixes currencies',
      [
        `insert into account (name, currency) values ('external:funding', 'EUR')`,
        posting('x'),
        entry('x', 'agent:alice:available', 5),
        entry('x', 'external:funding', -5).replace('USD', 'EUR'),
        seal('x'),
      ],
      'do not balance',
    ],
    [
      'a posting that was never sealed',
      [posting('x'), entry('x', 'agent:alice:available', 5), entry('x', 'external:funding', -5)],
      'FOREIGN KEY',
    ],
    [
      "an agent's account below zero",
      [
        posting('x'),
        entry('x', 'agent:alice:available', -101),
        entry('x', 'external:funding', 101),
        seal('x'),
      ],
      'CHECK',
    ],
    ['an entry of nothing', [posting('x'), entry('x', 'agent:alice:available', 0)], 'CHECK'],
    ['an entry on no account', [posting('x'), entry('x', 'agent:nobody', 5)], 'FOREIGN KEY'],
  ])('%s', async (_what, statements, message) => {
    await using ledger = await openLedger()

    await expect(cheat(ledger, ...statements)).rejects.toThrow(message)

    expect(await ledger.ledger.listBalances('USD')).toEqual([
      { account: 'agent:alice:available', balanceMinor: 100 },
      { account: 'external:funding', balanceMinor: -100 },
    ])
    expect(await ledger.ledger.verify()).toEqual([])
  })
})

test('verify names a balance that was forged past the entries', async () => {
  await using ledger = await openLedger()
  await cheat(
    ledger,
    `update account set balance_minor = 1000000 where name = 'agent:alice:available'`,
  )

  expect(await ledger.ledger.verify()).toEqual([
    'balance of agent:alice:available in USD is not its entries',
  ])
})

test('a posting that is refused leaves nothing behind', async () => {
  await using ledger = await openLedger()

  await expect(ledger.deposit('posting-1', 50)).rejects.toThrow('UNIQUE')

  expect(await ledger.ledger.balanceOf('agent:alice:available', 'USD')).toBe(100)
})

test.each([
  [[]],
  [[{ account: 'a', amountMinor: 1 }]],
  [[1.5, -1.5].map((n) => ({ account: 'a', amountMinor: n }))],
])('entries that no ledger may take are a bug before they reach SQL: %j', async (entries) => {
  await using ledger = await openLedger()

  await expect(ledger.ledger.post({ ...POSTING, id: 'x', entries })).rejects.toThrow(TypeError)
})
