import { AgentId, AuthorizationDetailsClaim } from '@deputy/auth/protocol'
import * as z from 'zod'
import type { AuditEntry } from '../audit/audit-event.ts'
import { explainToken, type Explained } from '../delegation/explain.ts'
import { findMissing } from '../delegation/find-missing.ts'
import { DroppedScope, DROP_RULES } from '../delegation/grant-node.ts'
import { EVERY_OWNER, type Tenancy } from '../owners/tenancy.ts'
import type { AdminDeps } from './admin-deps.ts'
import type { AdminProcedure } from './admin-procedure.ts'
import { nothingToExplain } from './refusals.ts'

const Id = z.string().min(1).max(128)

/** What is asked about. A mutation, so that a token travels in the body and never in a URL. */
const ExplainInput = z.union([
  z.strictObject({
    token: z.string().min(1).max(16_384).describe('an access token of this server'),
  }),
  z.strictObject({ tokenId: Id.describe("a token's jti") }),
  z.strictObject({ correlationId: Id.describe('of an answer of this server') }),
])
type ExplainInput = z.infer<typeof ExplainInput>

const Hop = z.object({
  id: z.string(),
  kind: z.enum(['credential', 'task', 'token']),
  agentId: z.string(),
  audiences: z.array(z.string()),
  scopes: z.array(z.string()),
  dropped: z.array(DroppedScope).describe('what the hop before carried and this one does not'),
  limits: AuthorizationDetailsClaim,
  expiresAt: z.int().optional(),
  revokedAt: z.int().optional(),
})

const Chain = z.object({
  tokenId: z.string(),
  subjectId: AgentId.describe('whose authority it is'),
  agentId: AgentId.describe('who holds it'),
  actors: z.array(AgentId).describe('who acts or acted for the subject, the present one first'),
  isLive: z.boolean(),
  endedBy: z
    .object({ kind: z.enum(['grant', 'agent', 'expiry']), id: z.string(), at: z.int() })
    .optional(),
  hops: z.array(Hop).describe('the root first, the token itself last'),
})

const Refused = z.object({
  event: z.string(),
  at: z.int(),
  reason: z.string().optional(),
  agentId: z.string().optional(),
  audience: z.string().optional(),
  missing: z.array(
    z.object({
      scope: z.string(),
      rule: z.enum([...DROP_RULES, 'not_carried']),
      couldGrant: z
        .array(AgentId)
        .describe('who holds it and may hand it on to the one that asked'),
    }),
  ),
})

const Explanation = z.object({ chain: Chain.optional(), refused: Refused.optional() })

/** How far back a token is looked for on the trail that has no node, in seconds. */
const RECENT_SECONDS = 24 * 60 * 60

/** Agents that are looked at for who could grant something, at most. */
const MAX_AGENTS = 10_000

/** `explain`: where a token comes from, or why a request was turned down. */
export function createExplainProcedure(deps: AdminDeps, procedure: AdminProcedure) {
  const { clock, storage, verifyToken } = deps

  async function findEntry(
    filter: {
      readonly tokenId?: string
      readonly correlationId?: string
      readonly actorId?: string
    },
    within: Tenancy,
  ): Promise<AuditEntry | undefined> {
    const page = await storage.audit.list({ within, filter, limit: 50 })
    return page.entries.find(({ event }) => event.startsWith('token.'))
  }

  async function findToken(
    tokenId: string,
    within: Tenancy,
    actorId?: string,
  ): Promise<Explained | undefined> {
    const node = await storage.grants.find({ id: tokenId, within })
    if (node?.kind === 'token') return { node }
    const known = actorId === undefined ? {} : { actorId }
    const fromAt = clock.now() - RECENT_SECONDS
    const filter = { ...known, tokenId, event: 'token.issued', fromAt } as const
    let beforeId: number | undefined
    do {
      const page = await storage.audit.list({ within, filter, beforeId, limit: 1 })
      const [issued] = page.entries
      if (issued !== undefined) return { node: undefined, issued: { ...issued, tokenId } }
      beforeId = page.nextBeforeId
    } while (beforeId !== undefined)
    return undefined
  }

  async function explainRefusal(entry: AuditEntry, within: Tenancy) {
    const { actorId, at, audience, event, reason, scope, tokenId } = entry
    const token = tokenId === undefined ? undefined : await findToken(tokenId, EVERY_OWNER)
    const presented = token && (await explainToken(deps, token))
    // Whoever presented the token knows what it carries. What it stands on is its owner's business.
    const isOwn = tokenId !== undefined && (await findToken(tokenId, within)) !== undefined
    const chain = isOwn ? presented : undefined
    const actor = actorId === undefined ? undefined : await storage.clients.find(actorId)
    const target = audience === undefined ? undefined : await storage.clients.find(audience)
    const agents = await storage.agents.list({ within, limit: MAX_AGENTS })
    const requested = scope?.split(' ').filter(Boolean) ?? []
    const carried = presented?.hops.at(-1)?.scopes
    const missing =
      actor === undefined ? [] : findMissing({ requested, actor, target, carried, agents })
    return { chain, refused: { event, at, reason, agentId: actorId, audience, missing } }
  }

  async function explain(input: ExplainInput, within: Tenancy): Promise<unknown> {
    if ('correlationId' in input) {
      const entry = await findEntry(input, within)
      if (entry === undefined) throw nothingToExplain('this correlation id')
      if (entry.outcome !== 'success') return explainRefusal(entry, within)
      const token = await findToken(entry.tokenId ?? '', within, entry.actorId)
      if (token === undefined) throw nothingToExplain('this correlation id')
      return { chain: await explainToken(deps, token) }
    }
    const claims = 'token' in input ? await verifyToken(input.token) : undefined
    const tokenId = 'tokenId' in input ? input.tokenId : claims?.jti
    const token = tokenId && (await findToken(tokenId, within, claims?.client_id))
    if (token === undefined || token === '') throw nothingToExplain('this token')
    return { chain: await explainToken(deps, token) }
  }

  return procedure('grants:read')
    .input(ExplainInput)
    .output(Explanation)
    .mutation(async ({ ctx: { administrator }, input }) =>
      Explanation.parse(await explain(input, administrator.within)),
    )
}
