// Metered usage: events that are never changed. A correction is an event of its own that names the one which it
// corrects. What was billed of a month stays on its statement.
import type { SchemaLanguage } from './schema-language.ts'

/** Statements of migration 007. */
export function createUsageTables(schema: SchemaLanguage): readonly string[] {
  const { identity, integer, text } = schema
  return [
    schema.table(
      'meter',
      `name ${text} primary key,
      aggregation ${text} not null check (aggregation in ('sum', 'count', 'unique', 'max')),
      description ${text} not null,
      defined_at ${integer} not null,
      defined_by ${text} not null`,
    ),
    ...schema.final('meter', 'usage: a meter keeps its meaning'),
    schema.table(
      'usage_event',
      `sequence ${identity},
      source ${text} not null,
      event_id ${text} not null,
      owner_id ${text} not null,
      account ${text} not null,
      meter ${text} not null references meter (name),
      quantity ${integer} not null check (quantity >= 0),
      unique_key ${text},
      happened_at ${integer} not null,
      period_start ${integer} not null,
      recorded_at ${integer} not null,
      corrects ${integer} references usage_event (sequence),
      reason ${text},
      subject ${text} not null,
      credential_id ${text} not null,
      token_sha256 ${text},
      grant_id ${text},
      trace_id ${text},
      unique (source, event_id)`,
    ),
    `create index usage_event_period on usage_event (owner_id, account, meter, period_start, sequence)`,
    `create index usage_event_corrects on usage_event (corrects, sequence) where corrects is not null`,
    ...schema.guard({
      name: 'usage_event_corrects_its_own',
      table: 'usage_event',
      on: 'before insert',
      when: `new.corrects is not null and not exists (
        select 1 from usage_event o where o.sequence = new.corrects and o.corrects is null
          and o.source = new.source and o.owner_id = new.owner_id and o.account = new.account
          and o.meter = new.meter and o.period_start = new.period_start)`,
      text: 'usage: a correction is of an event of the same source, account and period',
    }),
    ...schema.final('usage_event', 'usage: events are final'),
    // What there is to bill: months with events that came after those which were billed.
    schema.table(
      'usage_period',
      `owner_id ${text} not null,
      account ${text} not null,
      meter ${text} not null,
      period_start ${integer} not null,
      last_sequence ${integer} not null,
      primary key (owner_id, account, meter, period_start)`,
    ),
    ...schema.effect({
      name: 'usage_event_marks_period',
      table: 'usage_event',
      on: 'after insert',
      run: [
        `insert into usage_period (owner_id, account, meter, period_start, last_sequence)
          select new.owner_id, new.account, new.meter, new.period_start, 0 where not exists (
            select 1 from usage_period p where p.owner_id = new.owner_id and p.account = new.account
              and p.meter = new.meter and p.period_start = new.period_start)`,
        `update usage_period set last_sequence = new.sequence
          where owner_id = new.owner_id and account = new.account
            and meter = new.meter and period_start = new.period_start`,
      ],
    }),
    schema.table(
      'statement_usage',
      `statement_id ${text} not null references statement (id),
      owner_id ${text} not null,
      account ${text} not null,
      meter ${text} not null,
      period_start ${integer} not null,
      through_sequence ${integer} not null,
      total_quantity ${integer} not null,
      quantity ${integer} not null,
      base_minor ${integer} not null,
      unit_price_minor ${integer} not null,
      price_book_version ${text} not null,
      amount_minor ${integer} not null,
      is_adjustment ${integer} not null check (is_adjustment in (0, 1)),
      events ${integer} not null,
      events_sha256 ${text} not null,
      primary key (statement_id, meter, period_start)`,
    ),
    `create index statement_usage_period on statement_usage (owner_id, account, meter, period_start)`,
    ...schema.final('statement_usage', 'statement: what was billed is final'),
  ]
}
