// What is used of a grant's budget, as SQL, so that no code path can overspend: the use follows from the
// holds that are counted, and cannot exceed the cap.
import type { SchemaLanguage } from './schema-language.ts'

/** Statements of migration 004. */
export function createBudgetTables(schema: SchemaLanguage): readonly string[] {
  const { integer, text } = schema
  const keyed = { keyed: true }
  return [
    // Every id of the path that the token of a hold stood on.
    schema.table(
      'hold_grant',
      `grant_id ${text} not null,
      hold_id ${text} not null references hold (id),
      primary key (grant_id, hold_id)`,
      keyed,
    ),
    schema.table(
      'budget_use',
      `identifier ${text} not null,
      currency ${text} not null,
      cap_minor ${integer} not null check (cap_minor >= 0),
      held_minor ${integer} not null default 0 check (held_minor >= 0),
      captured_minor ${integer} not null default 0 check (captured_minor >= 0),
      primary key (identifier, currency),
      check (held_minor + captured_minor <= cap_minor)`,
      keyed,
    ),
    schema.table(
      'budget_hold',
      `hold_id ${text} not null references hold (id),
      identifier ${text} not null,
      currency ${text} not null,
      amount_minor ${integer} not null check (amount_minor > 0),
      state ${text} not null check (state in ('held', 'captured', 'given_back')),
      captured_minor ${integer} not null default 0
        check (captured_minor between 0 and amount_minor)
        check ((state = 'captured') = (captured_minor > 0)),
      expires_at ${integer} not null,
      primary key (hold_id, identifier),
      foreign key (identifier, currency) references budget_use (identifier, currency)`,
      keyed,
    ),
    `create index budget_hold_open on budget_hold (identifier, currency, expires_at)
      where state = 'held'`,
    ...schema.guard({
      name: 'budget_hold_begins_held',
      table: 'budget_hold',
      on: 'before insert',
      when: `new.state <> 'held'`,
      text: 'budget: a hold begins held',
    }),
    ...schema.effect({
      name: 'budget_hold_counts',
      table: 'budget_hold',
      on: 'after insert',
      run: [
        `update budget_use set held_minor = held_minor + new.amount_minor
          where identifier = new.identifier and currency = new.currency`,
      ],
    }),
    ...schema.guard({
      name: 'budget_hold_ends_once',
      table: 'budget_hold',
      on: 'before update',
      when: `old.state <> 'held' or new.state = 'held'
        or new.amount_minor <> old.amount_minor
        or new.hold_id <> old.hold_id
        or new.identifier <> old.identifier or new.currency <> old.currency`,
      text: 'budget: a hold ends once',
    }),
    ...schema.effect({
      name: 'budget_hold_ends',
      table: 'budget_hold',
      on: 'after update',
      run: [
        `update budget_use
          set held_minor = held_minor - old.amount_minor,
            captured_minor = captured_minor + new.captured_minor
          where identifier = new.identifier and currency = new.currency`,
      ],
    }),
    ...schema.stays('budget_hold', 'budget: what was counted stays'),
  ]
}
