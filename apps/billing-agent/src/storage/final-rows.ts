// What 005 to 007 left open on SQLite: `or replace` removes the row in its way without firing its delete trigger, so that what is
// final could be put in the place of itself, as 002 says of entries. PostgreSQL has no such clause: `on conflict do update` is
// an update, which the triggers of 001 on refuse.
import type { SchemaLanguage } from './schema-language.ts'

type FinalRows = {
  readonly table: string
  /** Each set of columns of which no two rows have the same. */
  readonly keys: readonly (readonly string[])[]
  /** As what its other guards refuse with. */
  readonly text: string
}

const FINAL: readonly FinalRows[] = [
  { table: 'refund', keys: [['id'], ['posting_id']], text: 'ledger: refunds are final' },
  {
    table: 'price_book',
    keys: [['number'], ['version']],
    text: 'prices: what is published is final',
  },
  { table: 'price', keys: [['version', 'service']], text: 'prices: what is published is final' },
  { table: 'meter', keys: [['name']], text: 'usage: a meter keeps its meaning' },
  {
    table: 'usage_event',
    keys: [['sequence'], ['source', 'event_id']],
    text: 'usage: events are final',
  },
  {
    table: 'statement_usage',
    keys: [['statement_id', 'meter', 'period_start']],
    text: 'statement: what was billed is final',
  },
  // One with the name of another and an id of its own is kept out by what refers to that one.
  { table: 'quota', keys: [['id']], text: 'quota: a quota is lifted, not removed' },
  {
    table: 'quota_version',
    keys: [['quota_id', 'version']],
    text: 'quota: who set it and when is final',
  },
  {
    table: 'quota_charge',
    keys: [['source_id', 'quota_id']],
    text: 'quota: what was charged stays',
  },
  {
    table: 'quota_event',
    keys: [['id'], ['quota_id', 'period_start', 'threshold']],
    text: 'quota: what was announced is final',
  },
  {
    table: 'budget_hold',
    keys: [['hold_id', 'identifier']],
    text: 'budget: what was counted stays',
  },
]

/** Statements of migration 013, for SQLite. */
export function createFinalRowGuards(schema: SchemaLanguage): readonly string[] {
  return FINAL.flatMap(({ keys, table, text }) => {
    const isTaken = (key: readonly string[]): string =>
      `exists (select 1 from ${table} where ${key.map((column) => `${column} = new.${column}`).join(' and ')})`
    const when = keys.map(isTaken).join(' or ')
    return schema.guard({
      name: `${table}_is_not_replaced`,
      table,
      on: 'before insert',
      when,
      text,
    })
  })
}
