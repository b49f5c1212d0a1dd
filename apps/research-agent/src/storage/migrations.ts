import { createLimitUseTable } from '@deputy/storage'
import { sql, type Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

const DOCUMENTS = [
  `create table document (
    file text primary key,
    path text not null,
    size_bytes integer not null,
    modified_ms integer not null,
    sha256 text not null
  ) strict, without rowid`,
  `create table passage (
    id integer primary key,
    file text not null references document (file) on delete cascade,
    heading text not null,
    sentences text not null
  ) strict`,
  `create index passage_file on passage (file)`,
  // Porter's stemmer over words: "verifying" finds "verify".
  `create virtual table passage_text using fts5 (heading, body, tokenize = 'porter unicode61')`,
  `create trigger passage_leaves_text after delete on passage
    begin delete from passage_text where rowid = old.id; end`,
]

const JOBS = [
  `create table job (
    sequence integer primary key,
    id text not null unique,
    asker_agent_id text not null,
    asker_subject text not null,
    question text not null,
    idempotency_key text,
    body_sha256 text not null,
    state text not null check (state in ('working', 'completed', 'failed')),
    reason text,
    hold_id text,
    brief text check ((brief is null) = (state <> 'completed')),
    receipt text check ((receipt is null) = (state <> 'completed')),
    asked_at integer not null,
    completed_at integer
  ) strict`,
  `create unique index job_key on job (asker_agent_id, asker_subject, idempotency_key)`,
  `create index job_asker on job (asker_subject, sequence)`,
]

// The text follows its passage by itself, so that passages can go in many at a time.
const TEXT_BY_TRIGGER = [
  `create trigger passage_enters_text after insert on passage
    begin
      insert into passage_text (rowid, heading, body)
      select new.id, new.file || ' ' || new.heading,
        (select group_concat(value ->> 'text', ' ') from json_each(new.sentences));
    end`,
  // Sentences are split in another way since: everything is read again at the next start.
  `delete from document`,
]

const SETTLEMENT = [
  `alter table job add column quote_id text`,
  // The brief and its receipt while they are being paid for.
  `alter table job add column draft text`,
  // 0 while billing may still hold money for the job.
  `alter table job add column settled integer not null default 0 check (settled in (0, 1))`,
  `update job set settled = 1 where state <> 'working'`,
  `create index job_unsettled on job (sequence) where settled = 0`,
]

const TRACES = [
  `alter table job add column answered_by text not null default 'rules'`,
  `create table trace_step (
    job_id text not null references job (id) on delete cascade,
    sequence integer not null,
    kind text not null,
    offset_ms real not null,
    duration_ms real not null,
    decision text not null check (decision in ('pass', 'back', 'refused', 'stopped')),
    reason text,
    detail text,
    tool text,
    scopes text,
    input_tokens integer,
    output_tokens integer,
    cost_micros integer,
    primary key (job_id, sequence)
  ) strict, without rowid`,
]

// Rows of tables are read since, and what HTML hides is not: everything is read again at the next start.
const READ_TABLES = [`delete from document`]

const TAKE_UP = [
  // Who works on a job, and until when nobody else may; none once it is laid down or has ended.
  `alter table job add column worker text`,
  `alter table job add column lease_until integer not null default 0`,
  // How often a worker was lost in the middle of it.
  `alter table job add column losses integer not null default 0`,
  // What was asked beside the question, and what was reached: enough to go on from there.
  `alter table job add column max_sentences integer not null default 5`,
  `alter table job add column task_grant text`,
  `alter table job add column quote text`,
  `alter table job add column checkpoint text`,
]

// Long paragraphs are several passages since, and texts are read in their encodings: everything is read again at the
// next start.
const READ_IN_PARTS = [`delete from document`]

/** Forward only. A migration that was released is never changed. */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-create-documents': toMigration(DOCUMENTS),
  '002-create-jobs': toMigration(JOBS),
  '003-index-passages-by-trigger': toMigration(TEXT_BY_TRIGGER),
  '004-settle-jobs': toMigration(SETTLEMENT),
  '005-count-calls': createLimitUseTable,
  '006-trace-jobs': toMigration(TRACES),
  '007-read-tables': toMigration(READ_TABLES),
  '008-take-up-jobs': toMigration(TAKE_UP),
  '009-read-in-parts': toMigration(READ_IN_PARTS),
}

function toMigration(statements: readonly string[]): Migration {
  return {
    async up(db: Kysely<unknown>) {
      for (const statement of statements) await sql.raw(statement).execute(db)
    },
  }
}
