import { type EpochSeconds } from '@deputy/auth/protocol'
import * as z from 'zod'

/** What the rest of the server may write down. */
export const AUDIT_EVENTS = [
  'token.issued',
  'token.exchanged',
  'token.refused',
  'token.revoked',
  'token.revocation_refused',
  'introspection.refused',
  'revocations.refused',
  'client.authentication_failed',
  'client.registered',
  'client.registration_refused',
  'client.updated',
  'client.deleted',
  'owner.created',
  'owner.updated',
  'owner.deactivated',
  'agent.created',
  'agent.updated',
  'agent.deactivated',
  'client_secret.created',
  'client_secret.rotated',
  'client_secret.deactivated',
  'client_key.created',
  'client_key.rotated',
  'client_key.deactivated',
  'api_key.created',
  'api_key.rotated',
  'api_key.deactivated',
  'task_grant.opened',
  'task_grant.revoked',
  'approval.requested',
  'approval.approved',
  'approval.denied',
  'signing_key.rotated',
  'operator.reset',
  'registration_token.created',
  'registration_token.deactivated',
  'rate_limit.exceeded',
  'admin.refused',
  'audit.exported',
] as const
export type AuditEventName = (typeof AUDIT_EVENTS)[number]

/** What the trail writes of itself, and nobody else may: its own proof rests on these. */
export const TRAIL_EVENTS = ['writer.started', 'audit.pruned'] as const

/** How an act ended: done, turned down, or broken off by a fault. */
export const AUDIT_OUTCOMES = ['success', 'refused', 'failed'] as const

const Text = z.string().optional()

/** What an entry says, beside what happened, how it ended and when. */
const Particulars = z.object({
  /** Stable code of why, for what was refused or failed. */
  reason: Text,
  /** The tenant whose entry it is. Without one, only the system's operators see it. */
  ownerId: Text,
  /** Who acted: an agent's id, and only a claim of one where authentication failed. */
  actorId: Text,
  /** In whose name. */
  subjectId: Text,
  /** On what. */
  target: z.object({ kind: z.string(), id: z.string() }).optional(),
  audience: Text,
  /** Space-separated. */
  scope: Text,
  /** The secret or key that was used, by its id. */
  credentialId: Text,
  /** A token's `jti`. */
  tokenId: Text,
  grantId: Text,
  correlationId: Text,
  /** Of W3C Trace Context. */
  traceId: Text,
  /** The caller's network address. */
  address: Text,
  details: z.record(z.string(), z.string()).optional(),
})
type Particulars = Readonly<z.infer<typeof Particulars>>

/**
 * Something that happened, as the one who did it tells the trail. Never a secret: what looks like one
 * is taken out, and every text is cut to a bounded length, before an entry is made of it.
 */
export type AuditEvent = Particulars & {
  readonly event: AuditEventName
  readonly outcome: (typeof AUDIT_OUTCOMES)[number]
}

/** An event of anybody's, the trail's own among them. */
export type TrailEvent = Omit<AuditEvent, 'event'> & {
  readonly event: AuditEventName | (typeof TRAIL_EVENTS)[number]
}

/** The place of an entry in the chain of its writer. */
export const ChainPlace = z.object({
  /** The run of a server that wrote it. */
  writerId: z.string(),
  /** From 1, without gaps. */
  seq: z.int(),
  /** Hash of the entry before it; empty for the first. */
  prevHash: z.string(),
  /** SHA-256 of all of the entry but its `id`, base64url. */
  hash: z.string(),
})
export type ChainPlace = Readonly<z.infer<typeof ChainPlace>>

/**
 * An entry as it is kept. `event` and `outcome` are open here: a newer server, or somebody who
 * tampered with the store, may have written others, and an auditor must be able to read those too.
 */
export const AuditEntry = Particulars.extend({
  /** Where it stands among all entries. Ascending, with gaps. */
  id: z.int(),
  at: z.int(),
  event: z.string(),
  outcome: z.string(),
  ...ChainPlace.shape,
})
export type AuditEntry = Readonly<z.infer<typeof AuditEntry>> & { readonly at: EpochSeconds }
