// What the store does by itself: `node:sqlite`, a table, a prepared statement, and nothing else. As durable as the ledger
// (WAL, `synchronous=FULL`), with a row as long as a posting.
import { DatabaseSync } from 'node:sqlite'

export type BareStore = Disposable & {
  /** Inserts for so long, so many rows to a commit. Answers rows a second. */
  measure(forMs: number, rowsPerCommit: number): number
}

/** Opens a new file. */
export function openBareStore(file: string): BareStore {
  const database = new DatabaseSync(file)
  database.exec(`
    pragma journal_mode = wal;
    pragma synchronous = full;
    create table row (
      id text primary key, procedure text not null, agent_id text not null, subject text not null,
      credential_id text not null, created_at integer not null, owner_id text not null, hold_id text
    ) strict`)
  const insert = database.prepare('insert into row values (?, ?, ?, ?, ?, ?, ?, ?)')
  let rows = 0

  function insertOne(): void {
    rows += 1
    const id = `018bcfe5-6800-7000-8000-${String(rows).padStart(12, '0')}`
    insert.run(id, 'billing.hold', 'agent-bench-1', 'agent-bench-1', id, rows, 'system', id)
  }

  return {
    measure(forMs, rowsPerCommit) {
      const startMs = performance.now()
      const before = rows
      while (performance.now() - startMs < forMs) {
        if (rowsPerCommit === 1) {
          insertOne()
          continue
        }
        database.exec('begin immediate')
        for (let row = 0; row < rowsPerCommit; row += 1) insertOne()
        database.exec('commit')
      }
      return ((rows - before) / (performance.now() - startMs)) * 1000
    },
    [Symbol.dispose]: () => {
      database.close()
    },
  }
}
