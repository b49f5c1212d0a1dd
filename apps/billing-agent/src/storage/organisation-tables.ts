// Whose each book is, who caused each posting, refunds and price books.
import type { SchemaLanguage } from './schema-language.ts'

/** Statements of migration 005. */
export function createOrganisationTables(schema: SchemaLanguage): readonly string[] {
  const { identity, integer, text } = schema
  return [
    `alter table account add column owner_id ${text} not null default 'system'`,
    `alter table account add column scale ${integer} not null default 2`,
    `alter table posting add column owner_id ${text} not null default 'system'`,
    `alter table posting add column grant_id ${text}`,
    `alter table posting add column token_sha256 ${text}`,
    `alter table posting add column trace_id ${text}`,
    `alter table posting add column hold_id ${text}`,
    `alter table posting add column refers_to ${text}`,
    `create index posting_hold on posting (hold_id) where hold_id is not null`,
    `create index posting_agent on posting (owner_id, agent_id, created_at)`,
    `alter table quote add column owner_id ${text} not null default 'system'`,
    `alter table hold add column owner_id ${text} not null default 'system'`,
    `alter table hold add column expired ${integer} not null default 0 check (expired in (0, 1))`,
    `create index hold_open on hold (expires_at, id) where state = 'held'`,
    `alter table statement add column owner_id ${text} not null default 'system'`,
    `alter table statement add column number ${integer} not null default 0`,
    `create index statement_account on statement (owner_id, account, closed_at)`,
    `create index idempotency_age on idempotency (created_at)`,
    schema.table(
      'refund',
      `id ${text} primary key,
      hold_id ${text} not null references hold (id),
      posting_id ${text} not null unique references posting (id),
      amount_minor ${integer} not null check (amount_minor > 0),
      reason ${text} not null,
      created_at ${integer} not null`,
    ),
    `create index refund_hold on refund (hold_id)`,
    schema.table(
      'statement_credit',
      `refund_id ${text} primary key references refund (id),
      statement_id ${text} not null references statement (id)`,
    ),
    schema.table(
      'price_book',
      `number ${identity},
      version ${text} not null unique,
      effective_at ${integer} not null,
      published_by ${text} not null`,
    ),
    schema.table(
      'price',
      `version ${text} not null references price_book (version),
      service ${text} not null,
      base_minor ${integer} not null check (base_minor >= 0),
      unit_price_minor ${integer} not null check (unit_price_minor >= 0),
      currency ${text} not null,
      primary key (version, service)`,
    ),
    `insert into price_book (version, effective_at, published_by) values ('2026-11', 0, 'billing')`,
    `insert into price values ('2026-11', 'research.brief', 10, 5, 'USD')`,
    schema.table(
      'verified_balance',
      `account ${text} not null,
      currency ${text} not null,
      balance_minor ${integer} not null,
      last_entry_id ${integer} not null,
      primary key (account, currency)`,
    ),
    ...schema.guard({
      name: 'account_keeps_its_meaning',
      table: 'account',
      on: 'before update',
      when: `new.owner_id <> old.owner_id or new.scale <> old.scale
        or new.name <> old.name or new.currency <> old.currency`,
      text: 'ledger: an account stays what it is',
    }),
    ...schema.guard({
      name: 'entry_stays_in_the_book',
      table: 'entry',
      on: 'before insert',
      when: `(select owner_id from account where name = new.account and currency = new.currency)
        <> (select owner_id from posting where id = new.posting_id)`,
      text: 'ledger: a posting stays in one book',
    }),
    ...schema.guard({
      name: 'refund_fits_its_capture',
      table: 'refund',
      on: 'before insert',
      when: `new.amount_minor
          + (select coalesce(sum(amount_minor), 0) from refund where hold_id = new.hold_id)
        > (select captured_minor from hold where id = new.hold_id)`,
      text: 'ledger: more than was captured',
    }),
    ...schema.final('refund', 'ledger: refunds are final'),
    ...schema.final('price_book', 'prices: what is published is final'),
    ...schema.final('price', 'prices: what is published is final'),
  ]
}
