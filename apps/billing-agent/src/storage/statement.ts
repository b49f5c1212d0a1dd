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

/** Writes rows with one statement, made once for each number of them: a few numbers, as of the entries of a posting. */
export function createRowsStatement<Row extends Parameters>(
  write: (db: Kysely<Tables>, rows: readonly Row[]) => Compilable,
): (db: Kysely<Tables>, rows: readonly Row[]) => Promise<void> {
  const ready = new Map<number, Statement<Parameters, unknown>>()

  function prepare(columns: readonly string[], count: number): Statement<Parameters, unknown> {
    const statement = createStatement<Parameters, unknown>((db, values) => {
      const rows = Array.from({ length: count }, (_, at) =>
        Object.fromEntries(columns.map((column) => [column, values[nameOf(column, at)]])),
      )
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- stand-ins, which nobody looks at
      return write(db, rows as Row[])
    })
    ready.set(count, statement)
    return statement
  }

  return async (db, rows) => {
    const [first] = rows
    if (first === undefined) return
    const statement = ready.get(rows.length) ?? prepare(Object.keys(first), rows.length)
    const values: Record<string, Value> = {}
    for (const [at, row] of rows.entries()) {
      for (const [column, value] of Object.entries(row)) values[nameOf(column, at)] = value
    }
    await statement(db, values)
  }
}

const nameOf = (column: string, at: number): string => `${column}.${String(at)}`
