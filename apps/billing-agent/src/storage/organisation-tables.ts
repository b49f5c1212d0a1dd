// Whose each book is, who caused each posting, refunds and price books.

/** What is published, given back or counted as verified is final. */
const final = (table: string, text: string): readonly string[] => [
  `create trigger ${table}_is_final before update on ${table}
    begin select raise(abort, '${text}'); end`,
  `create trigger ${table}_stays before delete on ${table}
    begin select raise(abort, '${text}'); end`,
]

/** Statements of migration 005. */
export const ORGANISATIONS = [
  `alter table account add column owner_id text not null default 'system'`,
  `alter table account add column scale integer not null default 2`,
  `alter table posting add column owner_id text not null default 'system'`,
  `alter table posting add column grant_id text`,
  `alter table posting add column token_sha256 text`,
  `alter table posting add column trace_id text`,
  `alter table posting add column hold_id text`,
  `alter table posting add column refers_to text`,
  `create index posting_hold on posting (hold_id) where hold_id is not null`,
  `create index posting_agent on posting (owner_id, agent_id, created_at)`,
  `alter table quote add column owner_id text not null default 'system'`,
  `alter table hold add column owner_id text not null default 'system'`,
  `alter table hold add column expired integer not null default 0 check (expired in (0, 1))`,
  `create index hold_open on hold (expires_at, id) where state = 'held'`,
  `alter table statement add column owner_id text not null default 'system'`,
  `alter table statement add column number integer not null default 0`,
  `create index statement_account on statement (owner_id, account, closed_at)`,
  `create index idempotency_age on idempotency (created_at)`,
  `create table refund (
    id text primary key,
    hold_id text not null references hold (id),
    posting_id text not null unique references posting (id),
    amount_minor integer not null check (amount_minor > 0),
    reason text not null,
    created_at integer not null
  ) strict`,
  `create index refund_hold on refund (hold_id)`,
  `create table statement_credit (
    refund_id text primary key references refund (id),
    statement_id text not null references statement (id)
  ) strict`,
  `create table price_book (
    number integer primary key,
    version text not null unique,
    effective_at integer not null,
    published_by text not null
  ) strict`,
  `create table price (
    version text not null references price_book (version),
    service text not null,
    base_minor integer not null check (base_minor >= 0),
    unit_price_minor integer not null check (unit_price_minor >= 0),
    currency text not null,
    primary key (version, service)
  ) strict`,
  `insert into price_book (version, effective_at, published_by) values ('2026-11', 0, 'billing')`,
  `insert into price values ('2026-11', 'research.brief', 10, 5, 'USD')`,
  `create table verified_balance (
    account text not null,
    currency text not null,
    balance_minor integer not null,
    last_entry_id integer not null,
    primary key (account, currency)
  ) strict`,
  `create trigger account_keeps_its_meaning before update on account
    when new.owner_id <> old.owner_id or new.scale <> old.scale
      or new.name <> old.name or new.currency <> old.currency
    begin select raise(abort, 'ledger: an account stays what it is'); end`,
  `create trigger entry_stays_in_the_book before insert on entry
    when (select owner_id from account where name = new.account and currency = new.currency)
      <> (select owner_id from posting where id = new.posting_id)
    begin select raise(abort, 'ledger: a posting stays in one book'); end`,
  `create trigger refund_fits_its_capture before insert on refund
    when new.amount_minor + (select coalesce(sum(amount_minor), 0) from refund where hold_id = new.hold_id)
      > (select captured_minor from hold where id = new.hold_id)
    begin select raise(abort, 'ledger: more than was captured'); end`,
  ...final('refund', 'ledger: refunds are final'),
  ...final('price_book', 'prices: what is published is final'),
  ...final('price', 'prices: what is published is final'),
]
