// What an act of revocation would end, before anybody does it. Reads only.
import type { Clock, EpochSeconds, ReachAnswer } from '@deputy/auth/protocol'
import type { Client } from '../agents/agent.ts'
import type { GrantNode } from '../delegation/grant-node.ts'
import type { LiveOptions } from '../delegation/grant-store.ts'
import type { Storage } from '../storage/open-storage.ts'
import { listIssuedTokens, type LiveToken } from './list-issued-tokens.ts'
import type { Verifiers } from './verifiers.ts'

/**
 * How soon an agent that does not follow the feed asks by introspection, in seconds, as agents are set
 * up by default: `maxStalenessSeconds`.
 */
const UNCONNECTED_SECONDS = 60

/** How soon one that follows it refuses, in seconds, rounded up from what was measured. */
const CONNECTED_SECONDS = 1

/** What would be revoked. */
export type PreviewTarget =
  | { readonly kind: 'grant'; readonly node: GrantNode }
  | { readonly kind: 'token'; readonly token: LiveToken; readonly agent: Client }
  | { readonly kind: 'credential'; readonly credentialId: string; readonly agent: Client }
  /** One, or all of an owner. */
  | { readonly kind: 'agents'; readonly agents: readonly Client[]; readonly isComplete: boolean }

/** An agent that takes some of the tokens. */
export type PreviewVerifier = {
  readonly agentId: string
  /** Whether it follows the feed of this instance right now. */
  readonly isConnected: boolean
  /** When it refuses, counted from the act; of one that is not connected, by the default policy. */
  readonly noticesWithinSeconds: number
  /** Calls, streams and sockets that would end there; `undefined` where it did not say. */
  readonly open: number | undefined
  /** Money that is held there below what would end; `undefined` where it did not say. */
  readonly held: ReachAnswer['held'] | undefined
}

export type Preview = {
  /** Everybody who holds, or acts with, something that would end. */
  readonly agents: readonly string[]
  readonly liveTokens: number
  /** Task grants, and tokens that came from other ones. */
  readonly derivedGrants: number
  readonly verifiers: readonly PreviewVerifier[]
  /** When the last of it would end by itself; `undefined` when there is nothing. */
  readonly endsAt: EpochSeconds | undefined
  /** `false` when there was too much to count. */
  readonly isComplete: boolean
}

export type PreviewDeps = {
  readonly storage: Pick<Storage, 'audit' | 'grants'>
  readonly verifiers: Verifiers
  readonly clock: Clock
}

/** Grants that are looked at, at most. */
const MAX_GRANTS = 10_000

/** Ids that verifiers are asked about, at most. */
const MAX_ASKED = 1000

/** Says what would end. */
export async function previewRevocation(
  { clock, storage, verifiers }: PreviewDeps,
  target: PreviewTarget,
): Promise<Preview> {
  const issued = await findIssued(storage, target, clock)
  const found = await findNodes(storage, target, clock)
  const nodes = found.filter(({ revokedAt }) => revokedAt === undefined)
  const derivedTokens = nodes.filter(({ kind }) => kind === 'token')
  const known = new Set(derivedTokens.map(({ id }) => id))
  const tokens = issued.tokens.filter(({ tokenId }) => !known.has(tokenId))
  const own = listOwn(target)
  const audiences = new Set([
    ...tokens.flatMap(({ audience }) => audience ?? []),
    ...derivedTokens.flatMap((node) => node.audiences),
  ])
  const verifierIds = [...audiences].toSorted()
  const answers = await verifiers.ask(verifierIds, toDenied(target, nodes))
  const ends = [...tokens, ...nodes].map(({ expiresAt }) => expiresAt)
  return {
    agents: [...new Set([...own, ...nodes.flatMap((node) => [node.agentId, ...node.actors])])],
    liveTokens: tokens.length + derivedTokens.length,
    derivedGrants: nodes.length,
    verifiers: verifierIds.map((agentId) => {
      const isConnected = verifiers.isConnected(agentId)
      const noticesWithinSeconds = isConnected ? CONNECTED_SECONDS : UNCONNECTED_SECONDS
      const { held, open } = answers.get(agentId) ?? {}
      return { agentId, isConnected, noticesWithinSeconds, open, held }
    }),
    endsAt: ends.length === 0 ? undefined : Math.max(...ends),
    isComplete: issued.isComplete && found.length < MAX_GRANTS,
  }
}

/** The agents whose own things would end. */
function listOwn(target: PreviewTarget): string[] {
  if (target.kind === 'grant') return []
  const agents = target.kind === 'agents' ? target.agents : [target.agent]
  return agents.map(({ id }) => id).slice(0, MAX_ASKED)
}

/** What the act would deny: what is named, and of an agent the grants that it opened. */
function toDenied(target: PreviewTarget, nodes: readonly GrantNode[]) {
  switch (target.kind) {
    case 'grant':
      return { grants: [target.node.id], agents: [] }
    case 'token':
      return { grants: [target.token.tokenId], agents: [] }
    case 'credential':
      return { grants: [target.credentialId], agents: [] }
    case 'agents': {
      const ids = new Set<string | undefined>(target.agents.map(({ id }) => id))
      const opened = nodes.filter(({ kind, openedBy }) => kind === 'task' && ids.has(openedBy))
      return { grants: opened.slice(0, MAX_ASKED).map(({ id }) => id), agents: listOwn(target) }
    }
  }
}

async function findIssued(
  { audit }: Pick<Storage, 'audit'>,
  target: PreviewTarget,
  clock: Clock,
): Promise<{ readonly tokens: readonly LiveToken[]; readonly isComplete: boolean }> {
  if (target.kind === 'grant') return { tokens: [], isComplete: true }
  if (target.kind === 'token') return { tokens: [target.token], isComplete: true }
  if (target.kind === 'agents') {
    const tokens: LiveToken[] = []
    let { isComplete } = target
    for (const agent of target.agents) {
      const own = await listIssuedTokens(audit, agent, clock)
      tokens.push(...own.tokens)
      isComplete &&= own.isComplete
    }
    return { tokens, isComplete }
  }
  const all = await listIssuedTokens(audit, target.agent, clock)
  const { credentialId: id } = target
  return { ...all, tokens: all.tokens.filter(({ credentialId }) => credentialId === id) }
}

async function findNodes(
  { grants }: Pick<Storage, 'grants'>,
  target: PreviewTarget,
  clock: Clock,
): Promise<readonly GrantNode[]> {
  const options = { now: clock.now(), limit: MAX_GRANTS }
  if (target.kind === 'grant') return grants.listStandingOn(target.node.id, options)
  if (target.kind === 'token') return grants.listStandingOn(target.token.tokenId, options)
  const held =
    target.kind === 'agents'
      ? (
          await Promise.all(target.agents.map(async ({ id }) => grants.listByAgent(id, options)))
        ).flat()
      : await listObtained(grants, target, options)
  // What stands on one of these has its id in its path: of those, only the roots are asked about.
  const ids = new Set(held.map(({ id }) => id))
  const roots = held.filter(({ grantPath, id }) =>
    grantPath.every((step) => step === id || !ids.has(step)),
  )
  const below = new Map(held.map((node) => [node.id, node]))
  for (const { id } of roots) {
    for (const node of await grants.listStandingOn(id, options)) below.set(node.id, node)
  }
  return [...below.values()]
}

/**
 * What an agent obtained with a credential of its own. Attack prevented: asking about the credential of another, which
 * its tokens name, in the name of one's own agent.
 */
async function listObtained(
  grants: Storage['grants'],
  { agent, credentialId }: Extract<PreviewTarget, { readonly kind: 'credential' }>,
  options: LiveOptions,
): Promise<readonly GrantNode[]> {
  const nodes = await grants.listByCredential(credentialId, options)
  return nodes.filter(({ agentId }) => agentId === agent.id)
}
