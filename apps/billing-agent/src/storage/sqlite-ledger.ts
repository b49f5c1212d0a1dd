// The book and the work around it as it was made first, for SQLite.

export const LEDGER = [
  `create table account (
    name text not null,
    currency text not null,
    balance_minor integer not null default 0,
    primary key (name, currency),
    check (name not like 'agent:%' or balance_minor >= 0)
  ) strict, without rowid`,
  `create table posting_seal (posting_id text primary key) strict, without rowid`,
  `create table posting (
    id text primary key
      references posting_seal (posting_id) deferrable initially deferred,
    procedure text not null,
    agent_id text not null,
    subject text not null,
    credential_id text not null,
    created_at integer not null
  ) strict`,
  `create table entry (
    id integer primary key,
    posting_id text not null references posting (id),
    account text not null,
    currency text not null,
    amount_minor integer not null check (amount_minor <> 0),
    foreign key (account, currency) references account (name, currency)
  ) strict`,
  `create index entry_posting on entry (posting_id)`,
  `create index entry_account on entry (account, currency, id)`,
  `create trigger entry_before_seal before insert on entry
    when exists (select 1 from posting_seal where posting_id = new.posting_id)
    begin select raise(abort, 'ledger: the posting is sealed'); end`,
  `create trigger entry_moves_balance after insert on entry
    begin
      update account set balance_minor = balance_minor + new.amount_minor
      where name = new.account and currency = new.currency;
    end`,
  `create trigger entry_is_final before update on entry
    begin select raise(abort, 'ledger: entries are final'); end`,
  `create trigger entry_stays before delete on entry
    begin select raise(abort, 'ledger: entries are final'); end`,
  `create trigger posting_is_final before update on posting
    begin select raise(abort, 'ledger: postings are final'); end`,
  `create trigger posting_stays before delete on posting
    begin select raise(abort, 'ledger: postings are final'); end`,
  `create trigger seal_needs_balance before insert on posting_seal
    when (select count(*) < 2 or sum(amount_minor) <> 0 or count(distinct currency) <> 1
      from entry where posting_id = new.posting_id)
    begin select raise(abort, 'ledger: the entries do not balance'); end`,
  `create trigger seal_is_final before update on posting_seal
    begin select raise(abort, 'ledger: seals are final'); end`,
  `create trigger seal_stays before delete on posting_seal
    begin select raise(abort, 'ledger: seals are final'); end`,
]

export const WORK = [
  `create table quote (
    id text primary key,
    account text not null,
    service text not null,
    units integer not null,
    base_minor integer not null,
    unit_price_minor integer not null,
    amount_minor integer not null check (amount_minor > 0),
    currency text not null,
    price_book_version text not null,
    expires_at integer not null
  ) strict, without rowid`,
  `create table hold (
    id text primary key,
    quote_id text not null unique references quote (id),
    account text not null,
    service text not null,
    reference text not null,
    state text not null check (state in ('held', 'captured', 'released')),
    amount_minor integer not null check (amount_minor > 0),
    captured_minor integer not null
      check (captured_minor between 0 and amount_minor)
      check ((state = 'captured') = (captured_minor > 0)),
    currency text not null,
    created_at integer not null,
    expires_at integer not null,
    ended_at integer check ((state = 'held') = (ended_at is null))
  ) strict, without rowid`,
  `create index hold_account on hold (account, currency, state)`,
  `create table idempotency (
    agent_id text not null,
    key text not null,
    procedure text not null,
    body_sha256 text not null,
    answer text not null,
    created_at integer not null,
    primary key (agent_id, key)
  ) strict, without rowid`,
  `create table statement (
    id text primary key,
    account text not null,
    currency text not null,
    total_minor integer not null,
    closed_at integer not null
  ) strict, without rowid`,
  // The hold is the key: a capture stands on one statement, ever.
  `create table statement_line (
    hold_id text primary key references hold (id),
    statement_id text not null references statement (id),
    amount_minor integer not null,
    evidence text not null
  ) strict, without rowid`,
]
