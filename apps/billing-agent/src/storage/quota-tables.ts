// Quotas, as SQL, so that no code path can spend beyond one: what is spent in a period follows from what was
// charged, and a charge that does not fit is refused by the database. Who set a quota, and when, is never changed.
import type { SchemaLanguage } from './schema-language.ts'

/** Statements of migration 006. */
export function createQuotaTables(schema: SchemaLanguage): readonly string[] {
  return [
    ...createDefinitions(schema),
    ...createCharges(schema),
    // Whose a budget is: an auditor of another organisation sees nothing of it.
    `alter table budget_use add column owner_id ${schema.text} not null default 'system'`,
    `update budget_use set owner_id = coalesce((
      select hold.owner_id from budget_hold join hold on hold.id = budget_hold.hold_id
      where budget_hold.identifier = budget_use.identifier limit 1), 'system')`,
  ]
}

function createDefinitions(schema: SchemaLanguage): readonly string[] {
  const { integer, text } = schema
  return [
    schema.table(
      'quota',
      `id ${text} primary key,
      owner_id ${text} not null,
      scope_kind ${text} not null check (scope_kind in ('agent', 'grant', 'tenant')),
      scope_id ${text} not null,
      measure ${text} not null check (measure in ('money', 'usage')),
      unit ${text} not null,
      period ${text} not null check (period in ('day', 'month', 'year', 'total')),
      cap ${integer} check (cap >= 0),
      enforcement ${text} not null default 'refuse' check (enforcement in ('refuse', 'report')),
      version ${integer} not null default 0,
      unique (owner_id, scope_kind, scope_id, measure, unit, period)`,
    ),
    schema.table(
      'quota_version',
      `quota_id ${text} not null references quota (id),
      version ${integer} not null,
      cap ${integer},
      enforcement ${text} not null,
      reason ${text} not null,
      set_at ${integer} not null,
      agent_id ${text} not null,
      subject ${text} not null,
      credential_id ${text} not null,
      token_sha256 ${text},
      grant_id ${text},
      trace_id ${text},
      primary key (quota_id, version)`,
    ),
    ...schema.final('quota_version', 'quota: who set it and when is final'),
    ...schema.guard({
      name: 'quota_follows_versions',
      table: 'quota',
      on: 'before update',
      when: `new.id <> old.id or new.owner_id <> old.owner_id or new.scope_kind <> old.scope_kind
        or new.scope_id <> old.scope_id or new.measure <> old.measure or new.unit <> old.unit
        or new.period <> old.period or new.version <> old.version + 1
        or not exists (select 1 from quota_version v where v.quota_id = old.id
          and v.version = new.version and v.enforcement = new.enforcement
          and v.cap is not distinct from new.cap)`,
      text: 'quota: a quota is set by a version',
    }),
    ...schema.effect({
      name: 'quota_version_is_in_force',
      table: 'quota_version',
      on: 'after insert',
      run: [
        `update quota set cap = new.cap, enforcement = new.enforcement, version = new.version
          where id = new.quota_id`,
      ],
    }),
    ...schema.stays('quota', 'quota: a quota is lifted, not removed'),
  ]
}

function createCharges(schema: SchemaLanguage): readonly string[] {
  const { identity, integer, text } = schema
  return [
    schema.table(
      'quota_use',
      `quota_id ${text} not null references quota (id),
      period_start ${integer} not null,
      held ${integer} not null default 0 check (held >= 0),
      used ${integer} not null default 0,
      primary key (quota_id, period_start)`,
    ),
    // What was charged by a hold, an event of usage or a statement. A capture counts where its hold did.
    schema.table(
      'quota_charge',
      `source_id ${text} not null,
      quota_id ${text} not null references quota (id),
      period_start ${integer} not null,
      amount ${integer} not null check (amount <> 0),
      state ${text} not null check (state in ('held', 'used', 'given_back')),
      used ${integer} not null default 0 check ((state = 'used') = (used <> 0)),
      is_bound ${integer} not null check (is_bound in (0, 1)),
      expires_at ${integer},
      primary key (source_id, quota_id),
      check ((state <> 'held') or (amount > 0))`,
    ),
    `create index quota_charge_open on quota_charge (quota_id, expires_at) where state = 'held'`,
    `create index quota_charge_period on quota_charge (quota_id, period_start)`,
    ...schema.guard({
      name: 'quota_charge_fits',
      table: 'quota_charge',
      on: 'before insert',
      when: `new.state = 'given_back' or (new.state = 'used' and new.used <> new.amount)
        or (new.is_bound = 1 and new.amount > 0 and exists (
          select 1 from quota q left join quota_use u
            on u.quota_id = q.id and u.period_start = new.period_start
          where q.id = new.quota_id and q.enforcement = 'refuse'
            and coalesce(u.held + u.used, 0) + new.amount > q.cap))`,
      text: 'quota: a charge must fit',
    }),
    ...schema.effect({
      name: 'quota_charge_counts',
      table: 'quota_charge',
      on: 'after insert',
      run: [
        `insert into quota_use (quota_id, period_start)
          select new.quota_id, new.period_start where not exists (
            select 1 from quota_use where quota_id = new.quota_id and period_start = new.period_start)`,
        `update quota_use set
            held = held + (case new.state when 'held' then new.amount else 0 end),
            used = used + new.used
          where quota_id = new.quota_id and period_start = new.period_start`,
      ],
    }),
    ...schema.guard({
      name: 'quota_charge_ends_once',
      table: 'quota_charge',
      on: 'before update',
      when: `old.state <> 'held' or new.state = 'held' or new.used < 0 or new.used > old.amount
        or new.amount <> old.amount or new.source_id <> old.source_id
        or new.quota_id <> old.quota_id or new.period_start <> old.period_start`,
      text: 'quota: a charge ends once',
    }),
    ...schema.effect({
      name: 'quota_charge_ends',
      table: 'quota_charge',
      on: 'after update',
      run: [
        `update quota_use set held = held - old.amount, used = used + new.used
          where quota_id = new.quota_id and period_start = new.period_start`,
      ],
    }),
    ...schema.stays('quota_charge', 'quota: what was charged stays'),
    schema.table(
      'quota_event',
      `id ${identity},
      quota_id ${text} not null references quota (id),
      period_start ${integer} not null,
      threshold ${integer} not null check (threshold in (80, 100)),
      cap ${integer} not null,
      spent ${integer} not null,
      occurred_at ${integer} not null,
      agent_id ${text} not null,
      trace_id ${text},
      unique (quota_id, period_start, threshold)`,
    ),
    ...schema.final('quota_event', 'quota: what was announced is final'),
  ]
}
