import { CallRefusal } from '@deputy/auth/trpc'
import type { RotationRefusal } from '../keys/rotation.ts'

/** Why the admin API turns a call down: `data.reason` beside the reasons that every agent has. */
export const ADMIN_REASONS = [
  'agent_exists',
  'agent_inactive',
  'agent_protected',
  'agent_unknown',
  'approval_decided',
  'approval_not_yours',
  'approval_unknown',
  'audience_not_allowed',
  'audit_entry_unknown',
  'audit_position_lost',
  'call_mismatch',
  'credential_ended',
  'credential_unknown',
  'delegation_not_allowed',
  'expiry_in_the_past',
  'grant_unknown',
  'key_unusable',
  'nothing_to_explain',
  'owner_exists',
  'owner_inactive',
  'owner_protected',
  'owner_unknown',
  'rotation_too_early',
  'scope_not_allowed',
  'store_unavailable',
  'time_in_the_future',
  'token_unknown',
] as const
export type AdminReason = (typeof ADMIN_REASONS)[number]

/** An agent id that is not there. */
export function agentUnknown(id: string): CallRefusal {
  return createRefusal('NOT_FOUND', 'agent_unknown', {
    message: `There is no agent ${id}`,
    hint: 'List the agents with agents.list.',
  })
}

/** An id that is taken. */
export function agentExists(id: string): CallRefusal {
  return createRefusal('CONFLICT', 'agent_exists', {
    message: `There is an agent ${id} already`,
    hint: 'Change it with agents.update, or choose another id.',
  })
}

/** An agent that was ended. */
export function agentInactive(id: string): CallRefusal {
  return createRefusal('CONFLICT', 'agent_inactive', {
    message: `The agent ${id} is inactive`,
    hint: 'Create an agent with a new id: one that was deactivated stays so.',
  })
}

/** An identity without which nobody could administer the server again. */
export function agentProtected(id: string): CallRefusal {
  return createRefusal('CONFLICT', 'agent_protected', {
    message: `${id} is needed to administer the authorization server and stays as it is`,
    hint: 'To shut the operator out, deactivate its client secrets and API keys.',
  })
}

/** An approval that is not there, or another owner's. */
export function approvalUnknown(id: string): CallRefusal {
  return createRefusal('NOT_FOUND', 'approval_unknown', {
    message: `There is no approval ${id}`,
    hint: 'List what waits with approvals.list.',
  })
}

/** An approval on which somebody has decided, or whose time is over. */
export function approvalDecided(id: string): CallRefusal {
  return createRefusal('CONFLICT', 'approval_decided', {
    message: `The approval ${id} was decided before, or its time is over`,
    hint: 'See what became of it with approvals.get. The agent asks again if it still needs it.',
  })
}

/** An approval that somebody else has to decide. */
export function approvalNotYours(id: string): CallRefusal {
  return createRefusal('FORBIDDEN', 'approval_not_yours', {
    message: `The approval ${id} is not for an agent of its own chain, or for one that acts for another`,
    hint: 'Have an operator decide it.',
  })
}

/** An approval of another call than the one that was looked at. */
export function callMismatch(id: string): CallRefusal {
  return createRefusal('CONFLICT', 'call_mismatch', {
    message: `The hash is not that of the call of the approval ${id}`,
    hint: 'Look at it again with approvals.get, and send the inputSha256 of the call that you approve.',
  })
}

/** An entry that is not there, or another owner's. */
export function auditEntryUnknown(id: number): CallRefusal {
  return createRefusal('NOT_FOUND', 'audit_entry_unknown', {
    message: `There is no audit entry ${String(id)}`,
    hint: 'List the entries with audit.list. Old ones may have been pruned.',
  })
}

/** A place in a trail that has become another: its database was put back to an older copy. */
export function auditPositionLost(id: number): CallRefusal {
  return createRefusal('CONFLICT', 'audit_position_lost', {
    message: `The trail does not have the entry ${String(id)} that came last: it was restored from an older copy`,
    hint: 'Read with audit.list what was written since, and follow from the newest of those entries.',
  })
}

/** A credential id that is not there. */
export function credentialUnknown(id: string): CallRefusal {
  return createRefusal('NOT_FOUND', 'credential_unknown', {
    message: `There is no such credential: ${id}`,
    hint: 'List the credentials of the agent.',
  })
}

/** A credential that cannot be rotated any more. */
export function credentialEnded(id: string): CallRefusal {
  return createRefusal('CONFLICT', 'credential_ended', {
    message: `The credential ${id} has ended, or was rotated before`,
    hint: 'Rotate the one that took its place, or create a new one.',
  })
}

/** A key that cannot verify a signature, or is not public. */
export function keyUnusable(detail: string): CallRefusal {
  return createRefusal('BAD_REQUEST', 'key_unusable', {
    message: `The key cannot be used: ${detail}`,
    hint: 'Send one public JWK: EC on P-256, P-384 or P-521, Ed25519, or RSA of 2048 to 4096 bits.',
  })
}

/** An owner id that is taken. */
export function ownerExists(id: string): CallRefusal {
  return createRefusal('CONFLICT', 'owner_exists', {
    message: `There is an owner ${id} already`,
    hint: 'Choose another id.',
  })
}

/** An owner that was ended. */
export function ownerInactive(id: string): CallRefusal {
  return createRefusal('CONFLICT', 'owner_inactive', {
    message: `The owner ${id} was ended`,
    hint: 'Create an owner with a new id: one that was ended stays so.',
  })
}

/** The owner without which nobody could administer the server. */
export function ownerProtected(id: string): CallRefusal {
  return createRefusal('CONFLICT', 'owner_protected', {
    message: `${id} owns the authorization server itself and cannot be ended`,
    hint: 'To shut the operator out, deactivate its client secrets and API keys.',
  })
}

/** An owner id that is not there, or not the caller's to act for. */
export function ownerUnknown(id: string): CallRefusal {
  return createRefusal('NOT_FOUND', 'owner_unknown', {
    message: `There is no owner ${id} that you may act for`,
    hint: 'List the owners with owners.list, or leave ownerId out to act for your own.',
  })
}

/** A rotation of the signing keys that has to wait, or that another server has just made. */
export function rotationTooEarly(refusal: RotationRefusal): CallRefusal {
  return refusal.reason === 'next_key_not_ready'
    ? createRefusal('CONFLICT', 'rotation_too_early', {
        message: `The next signing key is not public long enough: it may sign from ${String(refusal.readyAt)} on`,
        hint: 'Wait until then, or pass immediately: true for a key that was stolen.',
      })
    : createRefusal('CONFLICT', 'rotation_too_early', {
        message: 'Another server has just rotated the signing keys',
        hint: 'List the keys with signingKeys.list.',
      })
}

/** A token id that the audit trail does not have, or not for this agent. */
export function tokenUnknown(id: string): CallRefusal {
  return createRefusal('NOT_FOUND', 'token_unknown', {
    message: `No live token ${id} was issued to that agent`,
    hint: 'Find the token with audit.list. One that has expired needs no revocation.',
  })
}

/** Nothing that the administrator may see. */
export function nothingToExplain(what: string): CallRefusal {
  return createRefusal('NOT_FOUND', 'nothing_to_explain', {
    message: `Nothing is known of ${what}`,
    hint: 'Tokens are known by their jti, requests to this server by the correlation id of its answer. Find either with audit.list.',
  })
}

/** Agents that the agent of a task may not call. */
export function audienceNotAllowed(agentId: string, audiences: readonly string[]): CallRefusal {
  return createRefusal('BAD_REQUEST', 'audience_not_allowed', {
    message: `${agentId} may not call: ${audiences.join(' ')}`,
    hint: 'Allow the audiences for the agent first, with agents.update, or leave them out.',
  })
}

/** Work that would be handed on against a policy. */
export function delegationNotAllowed(detail: string): CallRefusal {
  return createRefusal('BAD_REQUEST', 'delegation_not_allowed', {
    message: `The work cannot be handed on: ${detail}`,
    hint: "Change the agent's delegation policy (to, scopes, maxDepth) with agents.update.",
  })
}

/** A grant that is not there, or another owner's. */
export function grantUnknown(id: string): CallRefusal {
  return createRefusal('NOT_FOUND', 'grant_unknown', {
    message: `There is no grant ${id}`,
    hint: 'List the task grants with taskGrants.list.',
  })
}

/** Scopes for a key that its agent may not have. */
export function scopeNotAllowed(agentId: string, scopes: readonly string[]): CallRefusal {
  return createRefusal('BAD_REQUEST', 'scope_not_allowed', {
    message: `${agentId} may not have: ${scopes.join(' ')}`,
    hint: 'Allow the scopes for the agent first, with agents.update, or leave them out.',
  })
}

/** An expiry that has passed. */
export function expiryInThePast(): CallRefusal {
  return createRefusal('BAD_REQUEST', 'expiry_in_the_past', {
    message: 'expiresAt is in the past',
    hint: 'Give it in epoch seconds, later than now, or leave it out.',
  })
}

/** A moment up to which nothing can have been written yet: most likely it is in milliseconds. */
export function timeInTheFuture(): CallRefusal {
  return createRefusal('BAD_REQUEST', 'time_in_the_future', {
    message: 'beforeAt is in the future: all of the trail would go',
    hint: 'Give it in epoch seconds, not later than now.',
  })
}

/** The database is gone, or takes no writes. Nobody can say what became of a commit in which the connection broke. */
export function storeUnavailable(): CallRefusal {
  return createRefusal('SERVICE_UNAVAILABLE', 'store_unavailable', {
    message: 'The store cannot be reached or written right now',
    hint: 'Nothing was done, unless the connection to PostgreSQL broke as it was being committed: look, and try again shortly. The log of the authorization server says what is wrong with the store.',
  })
}

function createRefusal(
  code: 'BAD_REQUEST' | 'CONFLICT' | 'FORBIDDEN' | 'NOT_FOUND' | 'SERVICE_UNAVAILABLE',
  reason: AdminReason,
  text: { readonly message: string; readonly hint: string },
): CallRefusal {
  return new CallRefusal({ code, reason, ...text })
}
