// The book's rules as SQL, so that no code path can break them, on SQLite and on PostgreSQL:
// - entries and postings are never changed or removed;
// - a posting cannot be committed without its seal (a deferred foreign key), and the seal cannot be
//   set unless its entries sum to zero in one currency; after it no entry can be added;
// - an agent's account cannot go below zero;
// - balances follow from entries by trigger, and cannot be set in any other way.
import { columnTypes, createLimitUseTable } from '@deputy/storage'
import { sql, type Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { BUDGETS } from './budget-tables.ts'
import { LEDGER_GUARDS } from './ledger-guards.ts'
import { ORGANISATIONS } from './organisation-tables.ts'
import { POSTGRES_BUDGETS, POSTGRES_LEDGER, POSTGRES_WORK } from './postgres-ledger.ts'
import { POSTGRES_ORGANISATIONS } from './postgres-organisations.ts'
import { LEDGER, WORK } from './sqlite-ledger.ts'

type Statements = { readonly sqlite: readonly string[]; readonly postgres: readonly string[] }

/** Triggers are written for each database; what they keep is the same. */
function inSql(statements: Statements): Migration {
  return {
    async up(db: Kysely<unknown>) {
      const dialect = columnTypes(db).bytes === 'bytea' ? 'postgres' : 'sqlite'
      for (const statement of statements[dialect]) await sql.raw(statement).execute(db)
    },
  }
}

/** Forward only. A migration that was released is never changed. */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-create-ledger': inSql({
    sqlite: [...LEDGER, ...WORK],
    postgres: [...POSTGRES_LEDGER, ...POSTGRES_WORK],
  }),
  // What 001 left open on SQLite; PostgreSQL began with it.
  '002-guard-ledger': inSql({ sqlite: LEDGER_GUARDS, postgres: [] }),
  '003-count-calls': createLimitUseTable,
  '004-count-budgets': inSql({ sqlite: BUDGETS, postgres: POSTGRES_BUDGETS }),
  '005-organisations': inSql({ sqlite: ORGANISATIONS, postgres: POSTGRES_ORGANISATIONS }),
}
