// How one schema is written for SQLite and for PostgreSQL. Tables differ in the names of types; a trigger that
// guards a table is a condition in SQL that both understand, with what each wraps around it.

/** When a trigger runs. */
type Moment = 'before insert' | 'after insert' | 'before update' | 'after update'

export type Guard = {
  readonly name: string
  readonly table: string
  readonly on: Moment
  /** SQL over `new` and `old`: where it holds, the statement is refused. */
  readonly when: string
  /** What it is refused with. */
  readonly text: string
}

export type Effect = Pick<Guard, 'name' | 'table' | 'on'> & {
  /** Statements over `new` and `old`. */
  readonly run: readonly string[]
  /** What must not hold afterwards. */
  readonly refuse?: Pick<Guard, 'when' | 'text'>
}

export type SchemaLanguage = {
  readonly dialect: 'sqlite' | 'postgres'
  /** The type of text that is compared by code point. */
  readonly text: string
  /** The type of a whole number of 64 bits. */
  readonly integer: string
  /** The type of a primary key that is counted up. */
  readonly identity: string
  /** Makes a table. `keyed` ones are kept in the order of their primary key, where there is a choice. */
  table(name: string, columns: string, options?: { readonly keyed: boolean }): string
  /** Refuses where a condition holds. */
  guard(guard: Guard): readonly string[]
  /** Does something along with each row. */
  effect(effect: Effect): readonly string[]
  /** Takes away what `guard` or `effect` made. */
  dropTrigger(trigger: Pick<Guard, 'name' | 'table'>): readonly string[]
  /** Nothing in the table is ever changed or removed. */
  final(table: string, text: string): readonly string[]
  /** Nothing in the table is ever removed. */
  stays(table: string, text: string): readonly string[]
}

/** SQLite's. Strict tables: a column holds what its type says. */
export const SQLITE_SCHEMA: SchemaLanguage = {
  dialect: 'sqlite',
  text: 'text',
  integer: 'integer',
  identity: 'integer primary key',
  table: (name, columns, { keyed } = { keyed: false }) =>
    `create table ${name} (${columns}) strict${keyed ? ', without rowid' : ''}`,
  guard: ({ name, on, table, text, when }) => [
    `create trigger ${name} ${on} on ${table} when ${when}
      begin select raise(abort, '${text}'); end`,
  ],
  effect({ name, on, refuse, run, table }) {
    const check = refuse ? `select raise(abort, '${refuse.text}') where ${refuse.when};` : ''
    return [
      `create trigger ${name} ${on} on ${table}
        begin ${run.map((statement) => `${statement};`).join(' ')} ${check} end`,
    ]
  },
  dropTrigger: ({ name }) => [`drop trigger ${name}`],
  final: (table, text) => [
    `create trigger ${table}_is_final before update on ${table}
      begin select raise(abort, '${text}'); end`,
    ...SQLITE_SCHEMA.stays(table, text),
  ],
  stays: (table, text) => [
    `create trigger ${table}_stays before delete on ${table}
      begin select raise(abort, '${text}'); end`,
  ],
}

const POSTGRES_TEXT = 'text collate "C"'

/** PostgreSQL's. Nobody but the owner of the tables can drop a trigger. */
export const POSTGRES_SCHEMA: SchemaLanguage = {
  dialect: 'postgres',
  text: POSTGRES_TEXT,
  integer: 'bigint',
  identity: 'bigint generated always as identity primary key',
  table: (name, columns) => `create table ${name} (${columns})`,
  guard: ({ text, when, ...trigger }) =>
    createPostgresTrigger(trigger, `if ${when} then raise exception '${text}'; end if;`),
  effect: ({ refuse, run, ...trigger }) =>
    createPostgresTrigger(
      trigger,
      [
        ...run.map((statement) => `${statement};`),
        refuse ? `if ${refuse.when} then raise exception '${refuse.text}'; end if;` : '',
      ].join(' '),
    ),
  dropTrigger: ({ name, table }) => [
    `drop trigger ${name} on ${table}`,
    `drop function if exists ${name}()`,
  ],
  final: (table, text) => [
    `create trigger ${table}_is_final before update on ${table}
      for each row execute function ledger_refuse('${text}')`,
    ...POSTGRES_SCHEMA.stays(table, text),
  ],
  stays: (table, text) => [
    `create trigger ${table}_stays before delete on ${table}
      for each row execute function ledger_refuse('${text}')`,
    `create trigger ${table}_is_kept before truncate on ${table}
      for each statement execute function ledger_refuse('${text}')`,
  ],
}

/** Refuses with the text that the trigger gives it. The first migration makes it. */
export const POSTGRES_REFUSE = `create function ledger_refuse() returns trigger language plpgsql as $$
  begin raise exception '%', tg_argv[0]; end $$`

function createPostgresTrigger(
  { name, on, table }: Pick<Guard, 'name' | 'table' | 'on'>,
  body: string,
): readonly string[] {
  return [
    `create function ${name}() returns trigger language plpgsql as $$ begin ${body} return new; end $$`,
    `create trigger ${name} ${on} on ${table} for each row execute function ${name}()`,
  ]
}
