import type { Clock } from '@deputy/auth/protocol'
import { MAX_ACCESS_TOKEN_TTL_SECONDS } from '../agents/agent.ts'
import type { AuditEntry } from '../audit/audit-event.ts'
import type { AuditTrail } from '../audit/audit-trail.ts'
import type { Tenancy } from '../owners/tenancy.ts'

export type IssuedToken = {
  readonly agentId: string
  readonly tokenId: string
  readonly within: Tenancy
}

const ISSUING: ReadonlySet<string> = new Set(['token.issued', 'token.exchanged'])

/** What the trail says of the issuing of a token that may still live; the trail is kept longer than that. */
export async function findIssuedToken(
  audit: Pick<AuditTrail, 'list'>,
  { agentId, tokenId, within }: IssuedToken,
  clock: Clock,
): Promise<AuditEntry | undefined> {
  const fromAt = clock.now() - MAX_ACCESS_TOKEN_TTL_SECONDS
  const filter = { actorId: agentId, tokenId, outcome: 'success', fromAt } as const
  let beforeId: number | undefined
  do {
    const page = await audit.list({ within, filter, beforeId, limit: 10 })
    // Others say what was done with it: that it was revoked, or what somebody who administers did by it.
    const issued = page.entries.find(({ event }) => ISSUING.has(event))
    if (issued !== undefined) return issued
    beforeId = page.nextBeforeId
  } while (beforeId !== undefined)
  return undefined
}
