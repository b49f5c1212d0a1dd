import * as z from 'zod'
import { AUDIT_EVENTS, AUDIT_OUTCOMES, TRAIL_EVENTS } from './audit-event.ts'

const Id = z.string().min(1).max(512).optional()

/** Which entries: those to which all that is given applies. */
export const AuditFilter = z.object({
  /** For operators of the system, who see every owner's. */
  ownerId: Id,
  actorId: Id,
  subjectId: Id,
  grantId: Id,
  /** A token's `jti`. Give the agent too: there is no index for it alone. */
  tokenId: Id,
  correlationId: Id,
  event: z.enum([...AUDIT_EVENTS, ...TRAIL_EVENTS]).optional(),
  outcome: z.enum(AUDIT_OUTCOMES).optional(),
  /** Not before this moment. */
  fromAt: z.int().min(0).optional(),
  /** Before this moment. */
  toAt: z.int().min(0).optional(),
})
export type AuditFilter = Readonly<z.infer<typeof AuditFilter>>
