// The work around the book: quotes, holds, answers and statements.
import type { SchemaLanguage } from './schema-language.ts'

/** The other statements of migration 001. */
export function createWorkTables(schema: SchemaLanguage): readonly string[] {
  const { integer, text } = schema
  const keyed = { keyed: true }
  return [
    schema.table(
      'quote',
      `id ${text} primary key,
      account ${text} not null,
      service ${text} not null,
      units ${integer} not null,
      base_minor ${integer} not null,
      unit_price_minor ${integer} not null,
      amount_minor ${integer} not null check (amount_minor > 0),
      currency ${text} not null,
      price_book_version ${text} not null,
      expires_at ${integer} not null`,
      keyed,
    ),
    schema.table(
      'hold',
      `id ${text} primary key,
      quote_id ${text} not null unique references quote (id),
      account ${text} not null,
      service ${text} not null,
      reference ${text} not null,
      state ${text} not null check (state in ('held', 'captured', 'released')),
      amount_minor ${integer} not null check (amount_minor > 0),
      captured_minor ${integer} not null
        check (captured_minor between 0 and amount_minor)
        check ((state = 'captured') = (captured_minor > 0)),
      currency ${text} not null,
      created_at ${integer} not null,
      expires_at ${integer} not null,
      ended_at ${integer} check ((state = 'held') = (ended_at is null))`,
      keyed,
    ),
    `create index hold_account on hold (account, currency, state)`,
    schema.table(
      'idempotency',
      `agent_id ${text} not null,
      key ${text} not null,
      procedure ${text} not null,
      body_sha256 ${text} not null,
      answer ${text} not null,
      created_at ${integer} not null,
      primary key (agent_id, key)`,
      keyed,
    ),
    schema.table(
      'statement',
      `id ${text} primary key,
      account ${text} not null,
      currency ${text} not null,
      total_minor ${integer} not null,
      closed_at ${integer} not null`,
      keyed,
    ),
    // The hold is the key: a capture stands on one statement, ever.
    schema.table(
      'statement_line',
      `hold_id ${text} primary key references hold (id),
      statement_id ${text} not null references statement (id),
      amount_minor ${integer} not null,
      evidence ${text} not null`,
      keyed,
    ),
  ]
}
