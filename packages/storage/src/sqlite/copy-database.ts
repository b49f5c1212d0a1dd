import { randomUUID } from 'node:crypto'
import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'

/**
 * Copies what is committed, while others read and write, and hands the copy to `place`, which gives it
 * its name. The copy lies beside `target`, is on disk, and only its owner can read it; it is gone when
 * anything fails. Stops the process while it copies.
 */
export function copyDatabase(
  source: DatabaseSync,
  target: string,
  place: (copy: string) => void,
): void {
  const copy = `${target}.${randomUUID()}`
  // Attack: a file, or a link to one, that somebody put there to read what is written to it.
  closeSync(openSync(copy, 'wx', 0o600))
  try {
    // One statement, so one snapshot; unlike SQLite's backup, no writer makes it start again.
    source.prepare('vacuum into ?').run(copy)
    syncFile(copy)
    place(copy)
    syncFile(dirname(target))
  } finally {
    rmSync(copy, { force: true })
  }
}

function syncFile(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
