// The book: entries that are never changed, postings that balance, balances that follow.
import { POSTGRES_REFUSE, type SchemaLanguage } from './schema-language.ts'

/** Statements of migration 001. On SQLite the balances are guarded from 002 on. */
export function createLedgerTables(schema: SchemaLanguage): readonly string[] {
  const { dialect, identity, integer, text } = schema
  const isPostgres = dialect === 'postgres'
  return [
    ...(isPostgres ? [POSTGRES_REFUSE] : []),
    schema.table(
      'account',
      `name ${text} not null,
      currency ${text} not null,
      balance_minor ${integer} not null default 0,
      ${isPostgres ? `last_entry_id ${integer} not null default 0,` : ''}
      primary key (name, currency),
      check (name not like 'agent:%' or balance_minor >= 0)`,
      { keyed: true },
    ),
    schema.table('posting_seal', `posting_id ${text} primary key`, { keyed: true }),
    schema.table(
      'posting',
      `id ${text} primary key references posting_seal (posting_id) deferrable initially deferred,
      procedure ${text} not null,
      agent_id ${text} not null,
      subject ${text} not null,
      credential_id ${text} not null,
      created_at ${integer} not null`,
    ),
    schema.table(
      'entry',
      `id ${identity},
      posting_id ${text} not null references posting (id),
      account ${text} not null,
      currency ${text} not null,
      amount_minor ${integer} not null check (amount_minor <> 0),
      foreign key (account, currency) references account (name, currency)`,
    ),
    `create index entry_posting on entry (posting_id)`,
    `create index entry_account on entry (account, currency, id)`,
    ...schema.guard({
      name: 'entry_before_seal',
      table: 'entry',
      on: 'before insert',
      when: `exists (select 1 from posting_seal where posting_id = new.posting_id)`,
      text: 'ledger: the posting is sealed',
    }),
    ...schema.guard({
      name: 'seal_needs_balance',
      table: 'posting_seal',
      on: 'before insert',
      when: `(select count(*) < 2 or sum(amount_minor) <> 0 or count(distinct currency) <> 1
        from entry where posting_id = new.posting_id)`,
      text: 'ledger: the entries do not balance',
    }),
    ...schema.final('entry', 'ledger: entries are final'),
    ...schema.final('posting', 'ledger: postings are final'),
    ...schema.final('posting_seal', 'ledger: seals are final'),
    ...(isPostgres
      ? createBalanceGuards(schema)
      : schema.effect({
          name: 'entry_moves_balance',
          table: 'entry',
          on: 'after insert',
          run: [
            `update account set balance_minor = balance_minor + new.amount_minor
              where name = new.account and currency = new.currency`,
          ],
        })),
  ]
}

/**
 * Statements of migration 002, for SQLite. What 001 left open there: a conflict clause gets round triggers. `or
 * replace` removes the row in its way without firing its delete trigger, and `or ignore` holds inside of triggers
 * too, so that a balance stays where it is while the entry stands. And a balance could be set by hand.
 */
export function createLedgerGuards(schema: SchemaLanguage): readonly string[] {
  return [
    `alter table account add column last_entry_id integer not null default 0`,
    `update account set last_entry_id = coalesce((
      select max(id) from entry where account = account.name and currency = account.currency), 0)`,
    `drop trigger entry_moves_balance`,
    ...createBalanceGuards(schema),
    ...schema.guard({
      name: 'entry_is_not_replaced',
      table: 'entry',
      on: 'before insert',
      when: `exists (select 1 from entry where id = new.id)`,
      text: 'ledger: entries are final',
    }),
    ...schema.guard({
      name: 'posting_is_not_replaced',
      table: 'posting',
      on: 'before insert',
      when: `exists (select 1 from posting where id = new.id)`,
      text: 'ledger: postings are final',
    }),
  ]
}

/**
 * Statements of migration 008. An index of entries by account was there for one trigger alone, and gave every account of a
 * large book a page of its own that each posting had to write. That an account with entries is not put in the place of
 * itself is seen by its last entry.
 */
export function createAccountGuard(schema: SchemaLanguage): readonly string[] {
  const begins = { table: 'account', text: 'ledger: an account begins empty' }
  return [
    `drop index entry_account`,
    ...schema.dropTrigger({ name: 'account_begins_empty', table: 'account' }),
    ...schema.guard({
      ...begins,
      name: 'account_begins_empty',
      on: 'after insert',
      when: `new.balance_minor <> 0 or new.last_entry_id <> 0`,
    }),
    // PostgreSQL has no `or replace`, and calls triggers of a row that a conflict then keeps out.
    ...(schema.dialect === 'sqlite'
      ? schema.guard({
          ...begins,
          name: 'account_is_not_replaced',
          on: 'before insert',
          when: `exists (select 1 from account
            where name = new.name and currency = new.currency and last_entry_id <> 0)`,
        })
      : []),
  ]
}

/**
 * Statements of migration 012. On PostgreSQL an entry could name a posting that another transaction was about to commit, and
 * was let in when that one had: no seal was seen before, and the posting was there when the foreign key looked. A posting
 * that is seen is of the same transaction, or it is committed and its seal is seen as well.
 */
export function createEntryGuard(schema: SchemaLanguage): readonly string[] {
  const guard = { name: 'entry_before_seal', table: 'entry' }
  return [
    ...schema.dropTrigger(guard),
    ...schema.guard({
      ...guard,
      on: 'before insert',
      when: `not exists (select 1 from posting where id = new.posting_id)
        or exists (select 1 from posting_seal where posting_id = new.posting_id)`,
      text: 'ledger: the posting is sealed, or not there',
    }),
  ]
}

/** Every balance says which entry it counted last: each counts once. */
function createBalanceGuards(schema: SchemaLanguage): readonly string[] {
  return [
    ...schema.effect({
      name: 'entry_moves_balance',
      table: 'entry',
      on: 'after insert',
      run: [
        `update account
          set balance_minor = balance_minor + new.amount_minor, last_entry_id = new.id
          where name = new.account and currency = new.currency`,
      ],
      refuse: {
        when: `exists (select 1 from account
          where name = new.account and currency = new.currency and last_entry_id <> new.id)`,
        text: 'ledger: the balance did not move',
      },
    }),
    ...schema.guard({
      name: 'account_follows_entries',
      table: 'account',
      on: 'before update',
      when: `new.last_entry_id <= old.last_entry_id or not exists (
        select 1 from entry
        where id = new.last_entry_id and account = old.name and currency = old.currency
          and amount_minor = new.balance_minor - old.balance_minor)`,
      text: 'ledger: balances follow from entries',
    }),
    // After, not before: "on conflict do nothing" is how an account is made sure of.
    ...schema.guard({
      name: 'account_begins_empty',
      table: 'account',
      on: 'after insert',
      when: `new.balance_minor <> 0 or new.last_entry_id <> 0 or exists (
        select 1 from entry where account = new.name and currency = new.currency)`,
      text: 'ledger: an account begins empty',
    }),
  ]
}
