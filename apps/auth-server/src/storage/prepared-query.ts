import type { CompiledQuery, Kysely } from 'kysely'
import type { Tables } from './tables.ts'

/**
 * Makes a query whose SQL is built once and whose parameters come with each run: for the few queries
 * on the path of every token. The parameters stand in the order in which the SQL names them.
 */
export function prepareQuery<Row>(
  db: Kysely<Tables>,
  query: { compile(): CompiledQuery<Row> },
): (...parameters: readonly unknown[]) => Promise<readonly Row[]> {
  let compiled: CompiledQuery<Row> | undefined
  return async (...parameters) => {
    compiled ??= query.compile()
    const { rows } = await db.executeQuery<Row>({ ...compiled, parameters })
    return rows
  }
}
