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

/** Forward only. A migration that was released is never changed. */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-create-documents': {
    async up(db: Kysely<unknown>) {
      for (const statement of DOCUMENTS) await sql.raw(statement).execute(db)
    },
  },
  '002-create-jobs': {
    async up(db: Kysely<unknown>) {
      for (const statement of JOBS) await sql.raw(statement).execute(db)
    },
  },
}
