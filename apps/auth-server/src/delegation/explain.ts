// Says where a token comes from: hop by hop what it stands on, what each hop left behind and by which
// rule, and whether all of it still lives. Reads only.
import type { AuthorizationDetailsClaim, Clock, EpochSeconds } from '@deputy/auth/protocol'
import type { AuditEntry } from '../audit/audit-event.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import type { Storage } from '../storage/open-storage.ts'
import type { DroppedScope, GrantNode } from './grant-node.ts'

/** One step of a grant path. */
export type Hop = {
  readonly id: string
  readonly kind: 'credential' | 'task' | 'token'
  /** Who holds it. */
  readonly agentId: string
  readonly audiences: readonly string[]
  readonly scopes: readonly string[]
  /** What the hop before carried and this one does not. */
  readonly dropped: readonly DroppedScope[]
  readonly limits: AuthorizationDetailsClaim
  /** When it ends by itself; of a credential, not said here. */
  readonly expiresAt: EpochSeconds | undefined
  readonly revokedAt: EpochSeconds | undefined
}

export type Explanation = {
  readonly tokenId: string
  /** Whose authority it is. */
  readonly subjectId: string
  /** Who holds it: the present actor. */
  readonly agentId: string
  /** Everybody who acts or acted for the subject, the present one first. */
  readonly actors: readonly string[]
  readonly isLive: boolean
  /** Why it does not live: the hop or the agent that ended, or its own time. */
  readonly endedBy:
    | {
        readonly kind: 'grant' | 'agent' | 'expiry'
        readonly id: string
        readonly at: EpochSeconds
      }
    | undefined
  /** The root first, the token itself last. */
  readonly hops: readonly Hop[]
}

export type ExplainDeps = {
  readonly storage: Pick<Storage, 'audit' | 'clients' | 'grants' | 'revocations'>
  readonly clock: Clock
}

/** A token to be explained. Without a node in the tree of grants, its entry on the trail says what it is. */
export type Explained =
  | { readonly node: GrantNode }
  | { readonly node: undefined; readonly issued: AuditEntry & { readonly tokenId: string } }

/** Explains it. */
export async function explainToken(deps: ExplainDeps, token: Explained): Promise<Explanation> {
  const { clock, storage } = deps
  const hops: Hop[] = []
  if (token.node === undefined) hops.push(...(await explainIssued(deps, token.issued)))
  else {
    for (const [place, id] of token.node.grantPath.entries()) {
      hops.push(await explainStep(deps, { id, place, leaf: token.node }))
    }
  }
  const last = hops.at(-1)
  if (last === undefined) throw new Error('a grant path has at least one id')
  const { agentId, id: tokenId } = last
  const subjectId = token.node?.subjectId ?? agentId
  const actors = token.node?.actors ?? []
  const now = clock.now()
  const denial = await storage.revocations.findDenial({
    grantIds: hops.map(({ id }) => id),
    agentIds: [...new Set([subjectId, agentId, ...actors])],
  })
  const overdue = hops.find(({ expiresAt }) => expiresAt !== undefined && expiresAt <= now)
  const revoked = hops.find(({ revokedAt }) => revokedAt !== undefined)
  const endedBy =
    denial !== undefined
      ? { kind: denial.kind, id: denial.id, at: denial.revokedAt }
      : revoked?.revokedAt !== undefined
        ? { kind: 'grant' as const, id: revoked.id, at: revoked.revokedAt }
        : overdue?.expiresAt !== undefined
          ? { kind: 'expiry' as const, id: overdue.id, at: overdue.expiresAt }
          : undefined
  return { tokenId, subjectId, agentId, actors, isLive: endedBy === undefined, endedBy, hops }
}

type Step = { readonly id: string; readonly place: number; readonly leaf: GrantNode }

async function explainStep({ storage, ...deps }: ExplainDeps, step: Step): Promise<Hop> {
  const { id, leaf, place } = step
  const node = id === leaf.id ? leaf : await storage.grants.find({ id, within: EVERY_OWNER })
  if (node !== undefined) return toHop(node)
  // Before the first node stand the credential and, where no task grant does, the token that it gave.
  if (place === 0) return toCredential(id, leaf.subjectId)
  const filter = { actorId: leaf.subjectId, tokenId: id, event: 'token.issued' } as const
  const { entries } = await storage.audit.list({ within: EVERY_OWNER, filter, limit: 1 })
  const [issued] = entries
  if (issued !== undefined) return toIssuedHop({ storage, ...deps }, { ...issued, tokenId: id })
  return { ...toCredential(id, leaf.subjectId), kind: 'token' }
}

async function explainIssued(
  deps: ExplainDeps,
  issued: AuditEntry & { readonly tokenId: string },
): Promise<readonly Hop[]> {
  const { actorId = '', credentialId } = issued
  const token = await toIssuedHop(deps, issued)
  return credentialId === undefined ? [token] : [toCredential(credentialId, actorId), token]
}

function toHop(node: GrantNode): Hop {
  const { agentId, audiences, dropped, expiresAt, id, kind, limits, revokedAt, scopes } = node
  return { id, kind, agentId, audiences, scopes, dropped, limits, expiresAt, revokedAt }
}

function toCredential(id: string, agentId: string): Hop {
  return {
    id,
    kind: 'credential',
    agentId,
    audiences: [],
    scopes: [],
    dropped: [],
    limits: [],
    expiresAt: undefined,
    revokedAt: undefined,
  }
}

async function toIssuedHop(
  { storage }: ExplainDeps,
  { actorId = '', at, audience, scope, tokenId }: AuditEntry & { readonly tokenId: string },
): Promise<Hop> {
  const agent = await storage.clients.find(actorId)
  return {
    ...toCredential(tokenId, actorId),
    kind: 'token',
    audiences: audience === undefined ? [] : [audience],
    scopes: scope?.split(' ') ?? [],
    // By the agent's present settings: the token itself is not at hand.
    expiresAt: agent && at + agent.accessTokenTtlSeconds,
  }
}
