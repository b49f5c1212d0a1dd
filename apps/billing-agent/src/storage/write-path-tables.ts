// What a posting writes, in fewer places. An index by account or by agent gives each of them a page of its own, and with a large
// book every posting reads and writes a few that nobody else needs; what is in the order of time goes to the end, beside what
// was written just before.
import type { SchemaLanguage } from './schema-language.ts'

/** Seconds. */
const DAY = '86400'

/** Statements of migration 009. */
export function createWritePathTables(schema: SchemaLanguage): readonly string[] {
  return [
    // Whoever closes a statement looks for what was captured: an open hold, and how it ends, is no business of the index.
    `drop index hold_account`,
    `create index hold_captured on hold (account, currency, ended_at) where state = 'captured'`,
    ...keepAnswersInOrder(schema),
    ...findAgentsByDay(schema),
  ]
}

/** Answers in the order in which they were given: the key's index is all that is written elsewhere, and it is small. */
function keepAnswersInOrder(schema: SchemaLanguage): readonly string[] {
  return [
    ...moveAnswers(schema, 'agent_id, key', 'idempotency order by created_at'),
    `drop table idempotency`,
  ]
}

/** Makes the table of answers, of which no two have the same in these columns, and fills it. */
function moveAnswers(schema: SchemaLanguage, unique: string, from: string): readonly string[] {
  const { identity, integer, text } = schema
  const columns = 'agent_id, key, procedure, body_sha256, answer, created_at'
  return [
    schema.table(
      'answer',
      `id ${identity},
      agent_id ${text} not null,
      key ${text} not null,
      procedure ${text} not null,
      body_sha256 ${text} not null,
      answer ${text} not null,
      created_at ${integer} not null,
      unique (${unique})`,
    ),
    `insert into answer (${columns}) select ${columns} from ${from}`,
  ]
}

/** The postings of an agent are looked for by the days on which it had any: one row a day, and not one for each posting. */
function findAgentsByDay(schema: SchemaLanguage): readonly string[] {
  const { integer, text } = schema
  return [
    schema.table(
      'posting_day',
      `owner_id ${text} not null,
      agent_id ${text} not null,
      day ${integer} not null,
      primary key (owner_id, agent_id, day)`,
      { keyed: true },
    ),
    `insert into posting_day select distinct owner_id, agent_id, created_at / ${DAY} from posting`,
    `drop index posting_agent`,
    `create index posting_time on posting (created_at)`,
    ...schema.effect({
      name: 'posting_has_its_day',
      table: 'posting',
      on: 'after insert',
      run: [
        `insert into posting_day select new.owner_id, new.agent_id, new.created_at / ${DAY}
          where not exists (select 1 from posting_day where owner_id = new.owner_id
            and agent_id = new.agent_id and day = new.created_at / ${DAY})`,
      ],
    }),
    ...schema.final('posting_day', 'ledger: the days of postings are final'),
  ]
}

/**
 * Statements of migration 010. Captures stand by their day before their account: those of today are on a few pages of their
 * own, which a commit finds in memory, in place of one page for each account of a large book.
 */
export function createCapturesByDay(): readonly string[] {
  return [
    `drop index hold_captured`,
    `create index hold_captured on hold ((ended_at / ${DAY}), account, currency, ended_at)
      where state = 'captured'`,
  ]
}

/**
 * Statements of migration 011. Answers are found by their key before their agent: keys that begin with their moment, as those of
 * research do, stand together at the end, and not each behind the last one of its agent.
 */
export function createAnswersByKey(schema: SchemaLanguage): readonly string[] {
  return [
    `alter table answer rename to answer_before`,
    ...moveAnswers(schema, 'key, agent_id', 'answer_before order by id'),
    `drop table answer_before`,
  ]
}
