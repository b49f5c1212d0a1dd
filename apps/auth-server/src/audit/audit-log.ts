import type { AuditEvent } from './audit-event.ts'

/** Where the server writes what it did. */
export type AuditLog = {
  /** Resolves once the entry is on disk. */
  record(event: AuditEvent): Promise<void>
}
