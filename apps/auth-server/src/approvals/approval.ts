// A call that somebody has to approve before a token for it is issued: who wants to call what, with which
// input, in whose name. It is decided once.
import { AgentId } from '@deputy/auth/protocol'
import { createHash } from 'node:crypto'
import * as z from 'zod'
import { OwnerId } from '../owners/owner.ts'

/** What can become of it. One that is pending after its time is over has run out. */
export const APPROVAL_STATES = ['pending', 'approved', 'denied'] as const

/** The call, as whoever decides sees it. */
export const ApprovableCall = z.object({
  /** Who asks, and will make the call. */
  agentId: AgentId,
  /** Whose authority it is. */
  subjectId: AgentId,
  /** Everybody who acts or acted for the subject, the present one first. */
  actors: z.array(AgentId),
  /** The agent that is called. */
  audience: AgentId,
  scopes: z.array(z.string()),
  procedure: z.string(),
  /** SHA-256 of the input as canonical JSON (RFC 8785), base64url. */
  inputSha256: z.string().max(64),
})
export type ApprovableCall = Readonly<z.infer<typeof ApprovableCall>>

/** A request for approval, and what became of it. */
export const Approval = ApprovableCall.extend({
  /** The `auth_req_id`; in the token, the `identifier` of its `approved_call`. */
  id: z.string(),
  /** The tenant of the subject, whose operators decide. */
  ownerId: OwnerId,
  /** What the call is made with. Left out where the agent sent its hash alone. */
  input: z.json().optional(),
  /** The agent's own words to whoever decides (CIBA §7.1). */
  bindingMessage: z.string().optional(),
  /** What the token would stand on, the root first. */
  grantPath: z.array(z.string()),
  state: z.enum(APPROVAL_STATES),
  requestedAt: z.int(),
  /** Until then it can be decided, and a token be had. */
  expiresAt: z.int(),
  decidedAt: z.int().optional(),
  decidedBy: AgentId.optional(),
  /** Why, in the words of whoever decided. */
  note: z.string().optional(),
  /** The `jti` of the first token that it was given for. */
  tokenId: z.string().optional(),
})
export type Approval = Readonly<z.infer<typeof Approval>>

/** What makes two requests the same: a second one joins the first. */
export function fingerprintCall(call: ApprovableCall): string {
  const { actors, agentId, audience, inputSha256, procedure, scopes, subjectId } = call
  const members = [agentId, subjectId, actors, audience, scopes.toSorted(), procedure, inputSha256]
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url')
}
