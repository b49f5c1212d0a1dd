// What is used of a grant's budget, as SQL, so that no code path can overspend: the use follows from the
// holds that are counted, and cannot exceed the cap.

/** Statements of migration 004. */
export const BUDGETS = [
  // Every id of the path that the token of a hold stood on.
  `create table hold_grant (
    grant_id text not null,
    hold_id text not null references hold (id),
    primary key (grant_id, hold_id)
  ) strict, without rowid`,
  `create table budget_use (
    identifier text not null,
    currency text not null,
    cap_minor integer not null check (cap_minor >= 0),
    held_minor integer not null default 0 check (held_minor >= 0),
    captured_minor integer not null default 0 check (captured_minor >= 0),
    primary key (identifier, currency),
    check (held_minor + captured_minor <= cap_minor)
  ) strict, without rowid`,
  `create table budget_hold (
    hold_id text not null references hold (id),
    identifier text not null,
    currency text not null,
    amount_minor integer not null check (amount_minor > 0),
    state text not null check (state in ('held', 'captured', 'given_back')),
    captured_minor integer not null default 0
      check (captured_minor between 0 and amount_minor)
      check ((state = 'captured') = (captured_minor > 0)),
    expires_at integer not null,
    primary key (hold_id, identifier),
    foreign key (identifier, currency) references budget_use (identifier, currency)
  ) strict, without rowid`,
  `create index budget_hold_open on budget_hold (identifier, currency, expires_at)
    where state = 'held'`,
  `create trigger budget_hold_begins_held before insert on budget_hold
    when new.state <> 'held'
    begin select raise(abort, 'budget: a hold begins held'); end`,
  `create trigger budget_hold_counts after insert on budget_hold
    begin
      update budget_use set held_minor = held_minor + new.amount_minor
      where identifier = new.identifier and currency = new.currency;
    end`,
  `create trigger budget_hold_ends_once before update on budget_hold
    when old.state <> 'held' or new.state = 'held'
      or new.amount_minor <> old.amount_minor
      or new.hold_id <> old.hold_id
      or new.identifier <> old.identifier or new.currency <> old.currency
    begin select raise(abort, 'budget: a hold ends once'); end`,
  `create trigger budget_hold_ends after update on budget_hold
    begin
      update budget_use
      set held_minor = held_minor - old.amount_minor,
        captured_minor = captured_minor + new.captured_minor
      where identifier = new.identifier and currency = new.currency;
    end`,
  `create trigger budget_hold_stays before delete on budget_hold
    begin select raise(abort, 'budget: what was counted stays'); end`,
]
