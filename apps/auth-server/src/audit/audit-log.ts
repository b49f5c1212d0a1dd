import type { AuditEvent } from './audit-event.ts'

/** Where the server writes what it did. */
export type AuditLog = {
  /**
   * Resolves once the entry is on disk; entries that are recorded at the same time get there together.
   * Rejects when it cannot be written: then what it is about must not be answered.
   */
  record(event: AuditEvent): Promise<void>
}
