// What 001 left open. A conflict clause gets round triggers: `or replace` removes the row in its way
// without firing its delete trigger, and `or ignore` holds inside of triggers too, so that a balance
// stays where it is while the entry stands. And a balance could be set by hand.

/** Statements of migration 002. Every balance says which entry it counted last: each counts once. */
export const LEDGER_GUARDS = [
  `alter table account add column last_entry_id integer not null default 0`,
  `update account set last_entry_id = coalesce((
    select max(id) from entry where account = account.name and currency = account.currency), 0)`,
  `drop trigger entry_moves_balance`,
  `create trigger entry_moves_balance after insert on entry
    begin
      update account
      set balance_minor = balance_minor + new.amount_minor, last_entry_id = new.id
      where name = new.account and currency = new.currency;
      select raise(abort, 'ledger: the balance did not move') where exists (
        select 1 from account
        where name = new.account and currency = new.currency and last_entry_id <> new.id);
    end`,
  `create trigger account_follows_entries before update on account
    when new.last_entry_id <= old.last_entry_id
      or not exists (
        select 1 from entry
        where id = new.last_entry_id and account = old.name and currency = old.currency
          and amount_minor = new.balance_minor - old.balance_minor)
    begin select raise(abort, 'ledger: balances follow from entries'); end`,
  // After, not before: "on conflict do nothing" is how an account is made sure of.
  `create trigger account_begins_empty after insert on account
    when new.balance_minor <> 0 or new.last_entry_id <> 0 or exists (
      select 1 from entry where account = new.name and currency = new.currency)
    begin select raise(abort, 'ledger: an account begins empty'); end`,
  `create trigger entry_is_not_replaced before insert on entry
    when exists (select 1 from entry where id = new.id)
    begin select raise(abort, 'ledger: entries are final'); end`,
  `create trigger posting_is_not_replaced before insert on posting
    when exists (select 1 from posting where id = new.id)
    begin select raise(abort, 'ledger: postings are final'); end`,
]
