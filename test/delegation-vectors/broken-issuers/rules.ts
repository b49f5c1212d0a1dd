// The rules of delegation, as small as they can be written, each with a switch that breaks it.
import type { JWTPayload } from 'jose'
import * as z from 'zod'
import type { VectorWorld } from '../vector.ts'

/** What an issuer may do wrong. Each breaks one rule, and no more. */
export const BREAKAGES = {
  widening: 'gives scopes that the subject token does not carry',
  everything_for_nothing: 'takes nothing left for everything',
  actor_unchecked: 'gives the actor what it may never hold',
  swapped: 'puts the actor into `sub`, and the subject into `act`',
  impersonating: 'leaves `act` out',
  flat_chain: 'forgets who acted before',
  subject_client: 'says that the subject asked for the token',
  spliced: 'extends a token for whoever presents it',
  forged: 'does not verify the subject token',
  dead_extended: 'extends what was revoked',
  dead_below: 'extends what stands on something that was revoked',
  binding_dropped: 'gives a bearer token for a bound one',
  limit_dropped: 'forgets the limits of the subject token',
  limit_widened: 'lets a limit grow',
  unknown_ignored: 'ignores a limit that it does not know',
  beyond_parent: 'gives a token that outlives the subject token',
  unbounded: 'lets work be handed on without end',
  cyclic: 'lets an agent act for itself by way of others',
  may_act_copied: 'copies `may_act`',
  unchecked_policy: 'lets work be handed on to anybody',
  nests_itself: 'nests an agent that goes on with its own token',
  path_forgotten: 'forgets what the token stands on',
  saml_taken: 'takes any type of subject token',
} as const
export type Breakage = keyof typeof BREAKAGES

/** A refusal by RFC 6749 §5.2. */
export class Refused extends Error {
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

export type Agent = VectorWorld['agents'][number]

const Act = z.object({ sub: z.string(), act: z.unknown().optional() })

/** Everybody in an `act` claim, the present actor first. */
export function listActors(act: unknown): readonly string[] {
  const parsed = Act.safeParse(act)
  return parsed.success ? [parsed.data.sub, ...listActors(parsed.data.act)] : []
}

export type Hop = {
  readonly subject: JWTPayload
  readonly actor: Agent
  readonly agents: ReadonlyMap<string, Agent>
  readonly is: (breakage: Breakage) => boolean
}

/** Who acts after the hop; refuses what may not be handed on. */
export function extendAct({ actor, agents, is, subject }: Hop): unknown {
  const holder = String(subject['client_id'])
  const mayAct = Act.safeParse(subject['may_act']).data?.sub
  const mayPresent = [holder, subject.aud, mayAct].includes(actor.id)
  if (!mayPresent && !is('spliced')) throw new Refused('invalid_request')
  const actors = listActors(subject['act'])
  if (actor.id === holder && !is('nests_itself')) return subject['act']
  const isOwn = actor.id === holder
  const isCycle = !isOwn && [subject.sub, ...actors].includes(actor.id)
  if (isCycle && !is('cyclic')) throw new Refused('invalid_request')
  const giver = agents.get(holder)
  if (!isOwn && giver?.delegation.to.includes(actor.id) !== true && !is('unchecked_policy')) {
    // Whoever breaks the rule of presenting, or of the cycle, is past this one too.
    if (mayPresent && !isCycle) throw new Refused('invalid_request')
  }
  const most = agents.get(String(subject.sub))?.delegation.maxDepth ?? 0
  if (actors.length + 1 > most && !is('unbounded')) throw new Refused('invalid_request')
  const before = is('flat_chain') ? undefined : subject['act']
  return { sub: actor.id, ...(before === undefined ? {} : { act: before }) }
}

/** What travels, of what was asked for. */
export function narrow({ actor, is, subject }: Hop, requested: string | undefined): string {
  const carried = String(subject['scope']).split(' ')
  const wanted = requested?.split(' ') ?? carried.filter((scope) => actor.scopes.includes(scope))
  const isCarried = (scope: string): boolean => is('widening') || carried.includes(scope)
  const mayHold = (scope: string): boolean => is('actor_unchecked') || actor.scopes.includes(scope)
  const kept = wanted.filter((scope) => isCarried(scope) && mayHold(scope))
  if (kept.length === 0 && is('everything_for_nothing')) return carried.join(' ')
  if (kept.length === 0 || kept.length < wanted.length) throw new Refused('invalid_scope')
  return kept.join(' ')
}

const Budget = z.strictObject({
  type: z.literal('budget'),
  currency: z.string(),
  amount: z.string(),
  identifier: z.string().optional(),
})
const Details = z.array(z.looseObject({ type: z.string() }))

/** The limits of the new token: those of the subject token, and narrower ones. */
export function refine({ is, subject }: Hop, text: string | undefined, id: string): object[] {
  const carried = Details.default([]).parse(subject['authorization_details'])
  const kept = is('limit_dropped') ? [] : carried
  if (text === undefined) return kept
  const added = Details.parse(JSON.parse(text)).flatMap((one) => {
    const budget = Budget.safeParse(one)
    if (!budget.success) {
      if (is('unknown_ignored')) return []
      throw new Refused('invalid_authorization_details')
    }
    const caps = carried.flatMap((other) => Budget.safeParse(other).data ?? [])
    const isLarger = caps.some(({ amount }) => Number(budget.data.amount) > Number(amount))
    if (isLarger && !is('limit_widened')) throw new Refused('invalid_authorization_details')
    return [{ ...budget.data, identifier: id }]
  })
  return [...kept, ...added]
}
