import type { CompiledQuery, Kysely } from 'kysely'
import type { ChainedEvent } from '../audit/chain.ts'
import { toAuditColumns, type AuditEntryColumns } from './audit-row.ts'
import type { Tables } from './tables.ts'

/** Writes entries in their order. */
export type InsertEntries = (
  transaction: Kysely<Tables>,
  entries: readonly ChainedEvent[],
) => Promise<void>

/** Rows a statement: few sizes, so that few statements are prepared, each once. */
const SIZES = [64, 16, 4, 1] as const

/** Creates the insertion, whose statements are built on first use: it is on the path of every token. */
export function createInsertEntries(): InsertEntries {
  const compiled = new Map<number, CompiledQuery>()

  function compile(db: Kysely<Tables>, rows: readonly AuditEntryColumns[]): CompiledQuery {
    const known = compiled.get(rows.length)
    if (known !== undefined) return known
    const query = db
      .insertInto('audit_entry')
      .values([...rows])
      .compile()
    compiled.set(rows.length, query)
    return query
  }

  return async (transaction, entries) => {
    const rows = entries.map(toAuditColumns)
    let done = 0
    for (const size of SIZES) {
      while (rows.length - done >= size) {
        const part = rows.slice(done, done + size)
        await transaction.executeQuery({
          ...compile(transaction, part),
          parameters: part.flatMap((row) => Object.values(row)),
        })
        done += size
      }
    }
  }
}
