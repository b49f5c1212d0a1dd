// The book's rules as SQL, so that no code path can break them, on SQLite and on PostgreSQL:
// - entries and postings are never changed or removed;
// - a posting cannot be committed without its seal (a deferred foreign key), and the seal cannot be
//   set unless its entries sum to zero in one currency; after it no entry can be added;
// - an agent's account cannot go below zero;
// - balances follow from entries by trigger, and cannot be set in any other way.
import { columnTypes, createLimitUseTable } from '@deputy/storage'
import { sql, type Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { createBudgetTables } from './budget-tables.ts'
import { createFinalRowGuards } from './final-rows.ts'
import {
  createAccountGuard,
  createEntryGuard,
  createLedgerGuards,
  createLedgerTables,
} from './ledger-tables.ts'
import { createOrganisationTables } from './organisation-tables.ts'
import { createQuotaTables } from './quota-tables.ts'
import { POSTGRES_SCHEMA, SQLITE_SCHEMA, type SchemaLanguage } from './schema-language.ts'
import { createUsageTables } from './usage-tables.ts'
import { createWorkTables } from './work-tables.ts'
import {
  createAnswersByKey,
  createCapturesByDay,
  createWritePathTables,
} from './write-path-tables.ts'

/** One schema, in the language of the database that it is made in. */
function inSql(write: (schema: SchemaLanguage) => readonly string[]): Migration {
  return {
    async up(db: Kysely<unknown>) {
      const schema = columnTypes(db).bytes === 'bytea' ? POSTGRES_SCHEMA : SQLITE_SCHEMA
      for (const statement of write(schema)) await sql.raw(statement).execute(db)
    },
  }
}

/** Forward only. A migration that was released is never changed. */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-create-ledger': inSql((schema) => [
    ...createLedgerTables(schema),
    ...createWorkTables(schema),
  ]),
  // What 001 left open on SQLite; PostgreSQL began with it.
  '002-guard-ledger': inSql((schema) =>
    schema.dialect === 'sqlite' ? createLedgerGuards(schema) : [],
  ),
  '003-count-calls': createLimitUseTable,
  '004-count-budgets': inSql(createBudgetTables),
  '005-organisations': inSql(createOrganisationTables),
  '006-quotas': inSql(createQuotaTables),
  '007-usage': inSql(createUsageTables),
  '008-account-guard': inSql(createAccountGuard),
  '009-write-path': inSql(createWritePathTables),
  '010-captures-by-day': inSql(createCapturesByDay),
  '011-answers-by-key': inSql(createAnswersByKey),
  '012-entry-guard': inSql(createEntryGuard),
  // PostgreSQL began with it.
  '013-final-rows': inSql((schema) =>
    schema.dialect === 'sqlite' ? createFinalRowGuards(schema) : [],
  ),
}
