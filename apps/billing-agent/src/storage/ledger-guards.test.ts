// The book defends itself: whoever gets past the code still has SQL's own rules to break, on SQLite and on
// PostgreSQL alike.
import { openDatabase, type Database } from '@deputy/storage'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { BILLING_ADAPTERS, SQLITE, type BillingAdapter } from '../../test-support/databases.ts'
import { verifyLedger } from '../verify/verify-ledger.ts'
import type { LedgerAudit } from '../verify/ledger-audit.ts'
import { createKyselyLedgerAudit } from './ledger-audit.ts'
import { NO_MARKS } from './work-marks.ts'
import { createKyselyLedgerStore } from './ledger-store.ts'
import { migrations } from './migrations.ts'
import type { Tables } from './tables.ts'

const POSTING = {
  procedure: 'billing.deposit',
  ownerId: 'system',
  agentId: 'operator',
  subject: 'operator',
  credentialId: 'token-1',
  createdAt: 1,
  currency: 'USD',
}

/** The book as `openLedger` leaves it. */
const SOUND = [
  { account: 'agent:alice:available', balanceMinor: 100 },
  { account: 'external:funding', balanceMinor: -100 },
]

async function openLedger(adapter: BillingAdapter) {
  await using stack = new AsyncDisposableStack()
  const { location } = stack.use(await adapter.open())
  const database = stack.use(await openDatabase<Tables>({ ...location, migrations }))
  const deposit = async (id: string, amountMinor: number) =>
    database.db.transaction().execute(async (transaction) =>
      createKyselyLedgerStore(transaction, NO_MARKS).post({
        ...POSTING,
        id,
        entries: [
          { account: 'external:funding', amountMinor: -amountMinor },
          { account: 'agent:alice:available', amountMinor },
        ],
      }),
    )
  await deposit('posting-1', 100)
  const ledger = createKyselyLedgerStore(database.db, NO_MARKS)
  const verify = async () => findFaults(database)
  const resources = stack.move()
  return {
    ...database,
    ledger,
    verify,
    deposit,
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

/** What the audit of the book finds first. */
async function findFaults({ db }: Database<Tables>): Promise<readonly string[]> {
  const audit = createKyselyLedgerAudit(db)
  const storage = {
    read: async <Value>(work: (stores: { audit: LedgerAudit }) => Promise<Value>) =>
      work({ audit }),
    transaction: async <Value>(work: (stores: { audit: LedgerAudit }) => Promise<Value>) =>
      work({ audit }),
  }
  const { fault } = await verifyLedger(storage, { entries: 'all' })
  return fault === undefined ? [] : [`${fault.kind} ${fault.id}`]
}

const CHECK = /check constraint/i
const FOREIGN_KEY = /foreign key/i
const NOT_NULL = /not.null/i

/** Runs statements in one transaction, as an intruder with a database connection would. */
async function cheat({ db }: Database<Tables>, ...statements: string[]): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    for (const statement of statements) await sql.raw(statement).execute(transaction)
  })
}

const posting = (id: string): string =>
  `insert into posting (id, procedure, agent_id, subject, credential_id, created_at) values ('${id}', 'p', 'a', 's', 'c', 1)`
const entry = (id: string, account: string, amount: number): string =>
  `insert into entry (posting_id, account, currency, amount_minor) values ('${id}', '${account}', 'USD', ${String(amount)})`
/** PostgreSQL counts up by itself, unless it is told otherwise. */
const anyId = ({ name }: BillingAdapter): string =>
  name === 'SQLite' ? '' : 'overriding system value'
/** As the owner of the tables may. */
const dropTrigger = ({ name: database }: BillingAdapter, name: string, table: string): string =>
  `drop trigger ${name}${database === 'SQLite' ? '' : ` on ${table}`}`
const seal = (id: string): string => `insert into posting_seal values ('${id}')`

describe.each(BILLING_ADAPTERS)('on $name, SQL refuses', (adapter) => {
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
      FOREIGN_KEY,
    ],
    [
      "an agent's account below zero",
      [
        posting('x'),
        entry('x', 'agent:alice:available', -101),
        entry('x', 'external:funding', 101),
        seal('x'),
      ],
      CHECK,
    ],
    ['an entry of nothing', [posting('x'), entry('x', 'agent:alice:available', 0)], CHECK],
    ['an entry on no account', [posting('x'), entry('x', 'agent:nobody', 5)], FOREIGN_KEY],
  ])('%s', async (_what, statements, message) => {
    await using ledger = await openLedger(adapter)

    await expect(cheat(ledger, ...statements)).rejects.toThrow(message)

    expect(await ledger.ledger.listBalances('system', 'USD')).toEqual(SOUND)
    expect(await ledger.verify()).toEqual([])
  })
})

describe.each([SQLITE])(
  'on $name, SQL refuses to be talked round by a conflict clause:',
  (adapter) => {
    // Attack: `or replace` removes the row in the way without firing a delete trigger, and `or ignore`
    // reaches into triggers, so that the entry stands and the balance does not move.
    test.each([
      [
        'an entry put in the place of another',
        [
          posting('x'),
          `insert or replace into entry values (1, 'x', 'external:funding', 'USD', -5)`,
          entry('x', 'agent:alice:available', 5),
          seal('x'),
        ],
        'entries are final',
      ],
      [
        'an entry put in the place of one on another account',
        [
          `insert into account (name, currency) values ('income:x', 'USD')`,
          posting('x'),
          `insert or replace into entry values (1, 'x', 'income:x', 'USD', -5)`,
        ],
        'entries are final',
      ],
      [
        'a posting put in the place of another, by somebody else',
        [posting('posting-1').replace('insert', 'insert or replace')],
        'postings are final',
      ],
      [
        'an overdraft that is ignored',
        [
          posting('x'),
          entry('x', 'agent:alice:available', -101).replace('insert', 'insert or ignore'),
          entry('x', 'external:funding', 101),
          seal('x'),
        ],
        'the balance did not move',
      ],
      [
        'an account put in the place of one with money',
        [
          `insert or replace into account (name, currency) values ('external:funding', 'USD')`,
          posting('x'),
          entry('x', 'agent:alice:available', 100),
          entry('x', 'external:funding', -100),
          seal('x'),
        ],
        'an account begins empty',
      ],
    ])('%s', async (_what, statements, message) => {
      await using ledger = await openLedger(adapter)

      await expect(cheat(ledger, ...statements)).rejects.toThrow(message)

      expect(await ledger.ledger.listBalances('system', 'USD')).toEqual(SOUND)
      expect(await ledger.verify()).toEqual([])
    })
  },
)

// Attack: PostgreSQL can empty a table without touching a row, take another table with it, and write over what a
// conflict finds.
describe.each(BILLING_ADAPTERS.filter(({ name }) => name === 'PostgreSQL'))(
  'on $name, SQL refuses',
  (adapter) => {
    test.each([
      ['emptying the entries', [`truncate entry`], 'entries are final'],
      ['emptying the postings with all below', [`truncate posting cascade`], 'are final'],
      ['emptying the seals with all below', [`truncate posting_seal cascade`], 'are final'],
      ['emptying the accounts with all below', [`truncate account cascade`], 'entries are final'],
      ['emptying the accounts', [`truncate account`], FOREIGN_KEY],
      ['emptying what was counted', [`truncate budget_hold`], 'what was counted stays'],
      ['emptying the refunds with all below', [`truncate refund cascade`], 'refunds are final'],
      ['emptying the prices', [`truncate price`], 'what is published is final'],
      [
        'an entry written over another',
        [
          `insert into entry overriding system value values (1, 'posting-1', 'external:funding', 'USD', -5)
            on conflict (id) do update set amount_minor = excluded.amount_minor`,
        ],
        /is sealed|are final/,
      ],
      [
        'a posting written over another, by somebody else',
        [`${posting('posting-1')} on conflict (id) do update set subject = excluded.subject`],
        'postings are final',
      ],
      [
        'a balance written over another',
        [
          `insert into account (name, currency) values ('external:funding', 'USD')
            on conflict (name, currency) do update set balance_minor = 0`,
        ],
        'balances follow from entries',
      ],
      [
        'the seal to be put off and never come',
        [
          `set constraints all deferred`,
          posting('x'),
          entry('x', 'agent:alice:available', 5),
          entry('x', 'external:funding', -5),
        ],
        FOREIGN_KEY,
      ],
    ])('%s', async (_what, statements, message) => {
      await using ledger = await openLedger(adapter)

      await expect(cheat(ledger, ...statements)).rejects.toThrow(message)

      expect(await ledger.ledger.listBalances('system', 'USD')).toEqual(SOUND)
      expect(await ledger.verify()).toEqual([])
    })
  },
)

describe.each(BILLING_ADAPTERS)(
  'on $name, SQL lets a balance move with its entries only:',
  (adapter) => {
    test.each([
      [
        'a balance is not set by hand',
        [`update account set balance_minor = 1000000 where name = 'agent:alice:available'`],
        'balances follow from entries',
      ],
      [
        'the last entry is not counted twice',
        [`update account set balance_minor = 200 where name = 'agent:alice:available'`],
        'balances follow from entries',
      ],
      [
        "another account's entry is not counted",
        [`update account set balance_minor = 0, last_entry_id = 2 where name = 'external:funding'`],
        'balances follow from entries',
      ],
      [
        'an account is not renamed',
        [`update account set name = 'income:x' where name = 'external:funding'`],
        /an account stays what it is|balances follow from entries/,
      ],
      [
        'an account does not begin with money',
        [
          `insert into account (name, currency, balance_minor) values ('agent:mallory:available', 'USD', 1)`,
        ],
        'an account begins empty',
      ],
      [
        'an account does not begin with entries counted that are yet to come',
        [
          `insert into account (name, currency, last_entry_id) values ('agent:mallory:available', 'USD', 9)`,
        ],
        'an account begins empty',
      ],
      [
        'an account with entries is not removed',
        [`delete from account where name = 'external:funding'`],
        FOREIGN_KEY,
      ],
      [
        'an entry is not slipped in before those that were counted',
        [
          posting('x'),
          `insert into entry ${anyId(adapter)} values (-7, 'x', 'agent:alice:available', 'USD', 5)`,
          entry('x', 'external:funding', -5),
          seal('x'),
        ],
        'balances follow from entries',
      ],
      [
        'a posting has a name',
        [
          `insert into posting (id, procedure, agent_id, subject, credential_id, created_at) values (null, 'p', 'a', 's', 'c', 1)`,
        ],
        NOT_NULL,
      ],
    ])('%s', async (_what, statements, message) => {
      await using ledger = await openLedger(adapter)

      await expect(cheat(ledger, ...statements)).rejects.toThrow(message)

      expect(await ledger.ledger.listBalances('system', 'USD')).toEqual(SOUND)
      expect(await ledger.verify()).toEqual([])
    })
  },
)

describe.each(BILLING_ADAPTERS)(
  'on $name, verify, for a book whose guards somebody took down, names',
  (adapter) => {
    test.each([
      [
        'a balance that was forged past the entries',
        [
          dropTrigger(adapter, 'account_follows_entries', 'account'),
          `update account set balance_minor = 1000000 where name = 'agent:alice:available'`,
        ],
        ['balance_wrong agent:alice:available'],
      ],
      [
        'a posting that lost an entry',
        [
          dropTrigger(adapter, 'entry_stays', 'entry'),
          `delete from entry where account = 'external:funding'`,
        ],
        ['posting_unbalanced posting-1'],
      ],
      [
        'a posting that mixes currencies',
        [
          dropTrigger(adapter, 'seal_needs_balance', 'posting_seal'),
          `insert into account (name, currency) values ('external:funding', 'EUR')`,
          posting('x'),
          entry('x', 'agent:alice:available', 5),
          entry('x', 'external:funding', -5).replace('USD', 'EUR'),
          seal('x'),
        ],
        ['posting_unbalanced x'],
      ],
    ])('%s', async (_what, statements, expected) => {
      await using ledger = await openLedger(adapter)
      await cheat(ledger, ...statements)

      expect(await ledger.verify()).toEqual(expected)
    })
  },
)

test.each(BILLING_ADAPTERS)(
  'on $name, verify names a posting that was committed without its seal',
  async (adapter) => {
    await using ledger = await openLedger(adapter)
    await sql
      .raw(
        adapter.name === 'SQLite'
          ? 'pragma foreign_keys = off'
          : 'alter table posting drop constraint posting_id_fkey',
      )
      .execute(ledger.db)
    await cheat(
      ledger,
      posting('x'),
      entry('x', 'agent:alice:available', 5),
      entry('x', 'external:funding', -5),
    )

    expect(await ledger.verify()).toEqual(['posting_unsealed x'])
  },
)

test.each(BILLING_ADAPTERS)(
  'on $name, a posting that is refused leaves nothing behind',
  async (adapter) => {
    await using ledger = await openLedger(adapter)

    await expect(ledger.deposit('posting-1', 50)).rejects.toThrow(
      /postings are final|duplicate key/,
    )

    expect(await ledger.ledger.balanceOf('agent:alice:available', 'USD')).toBe(100)
  },
)

test.each([
  [[]],
  [[{ account: 'a', amountMinor: 1 }]],
  [[1.5, -1.5].map((n) => ({ account: 'a', amountMinor: n }))],
])('entries that no ledger may take are a bug before they reach SQL: %j', async (entries) => {
  await using ledger = await openLedger(SQLITE)

  await expect(ledger.ledger.post({ ...POSTING, id: 'x', entries })).rejects.toThrow(TypeError)
})
