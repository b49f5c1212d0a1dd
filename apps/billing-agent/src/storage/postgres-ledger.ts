// The book, the work around it and the use of budgets for PostgreSQL: what `sqlite-ledger.ts`,
// `ledger-guards.ts` and `budget-tables.ts` make there. Nobody but the owner of the tables can drop a trigger.

const TEXT = 'text collate "C"'

/** Refuses with the text that the trigger gives it. */
const REFUSE = `create function ledger_refuse() returns trigger language plpgsql as $$
  begin raise exception '%', tg_argv[0]; end $$`

/** Nothing in the table is ever changed or removed. */
const final = (table: string, text: string): readonly string[] => [
  `create trigger ${table}_is_final before update or delete on ${table}
    for each row execute function ledger_refuse('${text}')`,
  `create trigger ${table}_stays before truncate on ${table}
    for each statement execute function ledger_refuse('${text}')`,
]

/** Statements of migration 001. */
export const POSTGRES_LEDGER = [
  REFUSE,
  `create table account (
    name ${TEXT} not null,
    currency ${TEXT} not null,
    balance_minor bigint not null default 0,
    last_entry_id bigint not null default 0,
    primary key (name, currency),
    check (name not like 'agent:%' or balance_minor >= 0)
  )`,
  `create table posting_seal (posting_id ${TEXT} primary key)`,
  `create table posting (
    id ${TEXT} primary key references posting_seal (posting_id) deferrable initially deferred,
    procedure ${TEXT} not null,
    agent_id ${TEXT} not null,
    subject ${TEXT} not null,
    credential_id ${TEXT} not null,
    created_at bigint not null
  )`,
  `create table entry (
    id bigint generated always as identity primary key,
    posting_id ${TEXT} not null references posting (id),
    account ${TEXT} not null,
    currency ${TEXT} not null,
    amount_minor bigint not null check (amount_minor <> 0),
    foreign key (account, currency) references account (name, currency)
  )`,
  `create index entry_posting on entry (posting_id)`,
  `create index entry_account on entry (account, currency, id)`,
  `create function ledger_take_entry() returns trigger language plpgsql as $$
    begin
      if exists (select 1 from posting_seal where posting_id = new.posting_id) then
        raise exception 'ledger: the posting is sealed';
      end if;
      return new;
    end $$`,
  `create trigger entry_before_seal before insert on entry
    for each row execute function ledger_take_entry()`,
  `create function ledger_move_balance() returns trigger language plpgsql as $$
    begin
      update account
      set balance_minor = balance_minor + new.amount_minor, last_entry_id = new.id
      where name = new.account and currency = new.currency;
      return null;
    end $$`,
  `create trigger entry_moves_balance after insert on entry
    for each row execute function ledger_move_balance()`,
  `create function ledger_follow_entries() returns trigger language plpgsql as $$
    begin
      if new.last_entry_id <= old.last_entry_id or not exists (
        select 1 from entry
        where id = new.last_entry_id and account = old.name and currency = old.currency
          and amount_minor = new.balance_minor - old.balance_minor)
      then raise exception 'ledger: balances follow from entries';
      end if;
      return new;
    end $$`,
  `create trigger account_follows_entries before update on account
    for each row execute function ledger_follow_entries()`,
  `create function ledger_begin_account() returns trigger language plpgsql as $$
    begin
      if new.balance_minor <> 0 or new.last_entry_id <> 0 or exists (
        select 1 from entry where account = new.name and currency = new.currency)
      then raise exception 'ledger: an account begins empty';
      end if;
      return null;
    end $$`,
  `create trigger account_begins_empty after insert on account
    for each row execute function ledger_begin_account()`,
  `create function ledger_seal() returns trigger language plpgsql as $$
    begin
      if (select count(*) < 2 or sum(amount_minor) <> 0 or count(distinct currency) <> 1
        from entry where posting_id = new.posting_id)
      then raise exception 'ledger: the entries do not balance';
      end if;
      return new;
    end $$`,
  `create trigger seal_needs_balance before insert on posting_seal
    for each row execute function ledger_seal()`,
  ...final('entry', 'ledger: entries are final'),
  ...final('posting', 'ledger: postings are final'),
  ...final('posting_seal', 'ledger: seals are final'),
]

/** The other statements of migration 001. */
export const POSTGRES_WORK = [
  `create table quote (
    id ${TEXT} primary key,
    account ${TEXT} not null,
    service ${TEXT} not null,
    units bigint not null,
    base_minor bigint not null,
    unit_price_minor bigint not null,
    amount_minor bigint not null check (amount_minor > 0),
    currency ${TEXT} not null,
    price_book_version ${TEXT} not null,
    expires_at bigint not null
  )`,
  `create table hold (
    id ${TEXT} primary key,
    quote_id ${TEXT} not null unique references quote (id),
    account ${TEXT} not null,
    service ${TEXT} not null,
    reference ${TEXT} not null,
    state ${TEXT} not null check (state in ('held', 'captured', 'released')),
    amount_minor bigint not null check (amount_minor > 0),
    captured_minor bigint not null
      check (captured_minor between 0 and amount_minor)
      check ((state = 'captured') = (captured_minor > 0)),
    currency ${TEXT} not null,
    created_at bigint not null,
    expires_at bigint not null,
    ended_at bigint check ((state = 'held') = (ended_at is null))
  )`,
  `create index hold_account on hold (account, currency, state)`,
  `create table idempotency (
    agent_id ${TEXT} not null,
    key ${TEXT} not null,
    procedure ${TEXT} not null,
    body_sha256 ${TEXT} not null,
    answer ${TEXT} not null,
    created_at bigint not null,
    primary key (agent_id, key)
  )`,
  `create table statement (
    id ${TEXT} primary key,
    account ${TEXT} not null,
    currency ${TEXT} not null,
    total_minor bigint not null,
    closed_at bigint not null
  )`,
  `create table statement_line (
    hold_id ${TEXT} primary key references hold (id),
    statement_id ${TEXT} not null references statement (id),
    amount_minor bigint not null,
    evidence ${TEXT} not null
  )`,
]

/** Statements of migration 004. */
export const POSTGRES_BUDGETS = [
  `create table hold_grant (
    grant_id ${TEXT} not null,
    hold_id ${TEXT} not null references hold (id),
    primary key (grant_id, hold_id)
  )`,
  `create table budget_use (
    identifier ${TEXT} not null,
    currency ${TEXT} not null,
    cap_minor bigint not null check (cap_minor >= 0),
    held_minor bigint not null default 0 check (held_minor >= 0),
    captured_minor bigint not null default 0 check (captured_minor >= 0),
    primary key (identifier, currency),
    check (held_minor + captured_minor <= cap_minor)
  )`,
  `create table budget_hold (
    hold_id ${TEXT} not null references hold (id),
    identifier ${TEXT} not null,
    currency ${TEXT} not null,
    amount_minor bigint not null check (amount_minor > 0),
    state ${TEXT} not null check (state in ('held', 'captured', 'given_back')),
    captured_minor bigint not null default 0
      check (captured_minor between 0 and amount_minor)
      check ((state = 'captured') = (captured_minor > 0)),
    expires_at bigint not null,
    primary key (hold_id, identifier),
    foreign key (identifier, currency) references budget_use (identifier, currency)
  )`,
  `create index budget_hold_open on budget_hold (identifier, currency, expires_at)
    where state = 'held'`,
  `create function budget_count_hold() returns trigger language plpgsql as $$
    begin
      if new.state <> 'held' then raise exception 'budget: a hold begins held'; end if;
      update budget_use set held_minor = held_minor + new.amount_minor
      where identifier = new.identifier and currency = new.currency;
      return new;
    end $$`,
  `create trigger budget_hold_counts before insert on budget_hold
    for each row execute function budget_count_hold()`,
  `create function budget_end_hold() returns trigger language plpgsql as $$
    begin
      if old.state <> 'held' or new.state = 'held' or new.amount_minor <> old.amount_minor
        or new.hold_id <> old.hold_id or new.identifier <> old.identifier
        or new.currency <> old.currency
      then raise exception 'budget: a hold ends once';
      end if;
      update budget_use
      set held_minor = held_minor - old.amount_minor,
        captured_minor = captured_minor + new.captured_minor
      where identifier = new.identifier and currency = new.currency;
      return new;
    end $$`,
  `create trigger budget_hold_ends before update on budget_hold
    for each row execute function budget_end_hold()`,
  `create trigger budget_hold_stays before delete on budget_hold
    for each row execute function ledger_refuse('budget: what was counted stays')`,
  `create trigger budget_hold_is_kept before truncate on budget_hold
    for each statement execute function ledger_refuse('budget: what was counted stays')`,
]
