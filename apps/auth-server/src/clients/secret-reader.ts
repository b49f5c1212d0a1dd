import type { Versioned } from './client-directory.ts'
import type { SecretChunk } from './secret-table.ts'

/** Reads every secret once, some at a time. */
export type SecretReader = {
  /** Answers the next ones, or `undefined` after the last. */
  next(): Promise<Versioned<SecretChunk> | undefined>
  close(): Promise<void>
}
