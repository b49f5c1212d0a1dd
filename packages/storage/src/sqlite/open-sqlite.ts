import { closeSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSource } from '../database-source.ts'
import { makeFolder } from '../make-folder.ts'
import { createSqliteDialect } from './sqlite-dialect.ts'

/** Opens the file, or makes it with its folder. Throws what Node and SQLite throw. */
export function openSqlite(file: string): DatabaseSource {
  if (file !== ':memory:') createOwnersFile(file)
  return {
    kind: 'sqlite',
    label: file,
    ...createSqliteDialect(file),
    migrationDialect: undefined,
    async lockMigrations() {
      // The transaction holds the file's write lock from its begin on.
    },
  }
}

/** Nobody else may read it, not even for the moment before a `chmod`. What is there stays as it is. */
function createOwnersFile(file: string): void {
  makeFolder(dirname(file))
  closeSync(openSync(file, 'a', 0o600))
}
