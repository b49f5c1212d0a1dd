// Queries on the path of every posting. Kysely's way from a query to its text costs several times what SQLite takes
// to run it, and the text is always the same: it is made once for each dialect.
import { PostgresAdapter, type Compilable, type CompiledQuery, type Kysely } from 'kysely'
import type { Tables } from './tables.ts'

type Value = string | number | null
export type Parameters = Readonly<Record<string, Value>>

type Ready<Row> = { readonly query: CompiledQuery<Row>; readonly names: readonly string[] }

/** Runs a query with these parameters. */
export type Statement<Values extends Parameters, Row> = (
  db: Kysely<Tables>,
  parameters: Values,
) => Promise<{ readonly rows: readonly Row[]; readonly changes: number }>

const isPostgres = (db: Kysely<Tables>): boolean =>
  db.getExecutor().adapter instanceof PostgresAdapter

const MARK = '\0parameter:'

/**
 * Prepares a query. `write` is called once for each dialect, with stand-ins for the parameters: it must not look at
 * them, only hand them on.
 */
export function createStatement<Values extends Parameters, Row>(
  write: (db: Kysely<Tables>, parameters: Values) => Compilable<Row>,
): Statement<Values, Row> {
  const ready = new Map<string, Ready<Row>>()

  function prepare(db: Kysely<Tables>, dialect: string): Ready<Row> {
    const standIns = new Proxy({}, { get: (_target, name) => `${MARK}${String(name)}` })
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- stand-ins, which nobody looks at
    const query = write(db, standIns as Values).compile()
    const names = query.parameters.map((value) => {
      if (typeof value === 'string' && value.startsWith(MARK)) return value.slice(MARK.length)
      throw new TypeError(
        'a statement takes all of its values as parameters, or has them as literals',
      )
    })
    const prepared = { query, names }
    ready.set(dialect, prepared)
    return prepared
  }

  return async (db, parameters) => {
    const dialect = isPostgres(db) ? 'postgres' : 'sqlite'
    const { names, query } = ready.get(dialect) ?? prepare(db, dialect)
    const values = names.map((name) => parameters[name])
    const { numAffectedRows, rows } = await db.executeQuery<Row>({ ...query, parameters: values })
    return { rows, changes: Number(numAffectedRows ?? 0) }
  }
}
