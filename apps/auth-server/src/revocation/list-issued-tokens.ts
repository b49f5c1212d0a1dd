import type { Clock, EpochSeconds } from '@deputy/auth/protocol'
import type { Client } from '../agents/agent.ts'
import type { AuditTrail } from '../audit/audit-trail.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'

/** A token as the trail remembers it. */
export type LiveToken = {
  readonly tokenId: string
  readonly audience: string | undefined
  readonly credentialId: string | undefined
  /** By the agent's present settings; a token that was given under others may end before or after. */
  readonly expiresAt: EpochSeconds
}

/** Entries that are read, at most: more tokens of one agent than this are not counted one by one. */
const MAX_ENTRIES = 10_000

/** The tokens of its own authority that an agent was given and that may still live. */
export async function listIssuedTokens(
  audit: Pick<AuditTrail, 'list'>,
  agent: Client,
  clock: Clock,
): Promise<{ readonly tokens: readonly LiveToken[]; readonly isComplete: boolean }> {
  const lifeSeconds = agent.accessTokenTtlSeconds
  const filter = {
    actorId: agent.id,
    event: 'token.issued',
    outcome: 'success',
    fromAt: clock.now() - lifeSeconds + 1,
  } as const
  const tokens: LiveToken[] = []
  let beforeId: number | undefined
  do {
    const page = await audit.list({ within: EVERY_OWNER, filter, beforeId, limit: 200 })
    for (const { at, audience, credentialId, tokenId } of page.entries) {
      if (tokenId === undefined) continue
      tokens.push({ tokenId, audience, credentialId, expiresAt: at + lifeSeconds })
    }
    beforeId = page.nextBeforeId
  } while (beforeId !== undefined && tokens.length < MAX_ENTRIES)
  return { tokens, isComplete: beforeId === undefined }
}
