// Who will act, and who acted before (RFC 8693 §4.1): whether this agent may take the authority on at
// all, and what the `act` claim becomes. Pure.
import { accept, type AccessTokenClaims, type ActClaim, type Result } from '@deputy/auth/protocol'
import { MAX_DELEGATION_DEPTH, type Client } from '../agents/agent.ts'
import { listActors } from '../revocation/standing.ts'
import { refuseExchange, type DelegationRefusal } from './delegation-refusal.ts'

export type ChainRequest = {
  /** The claims of the verified subject token. */
  readonly subject: AccessTokenClaims
  /** The authenticated client: who will act. */
  readonly actor: Client
  /** Everybody in the chain by id: the subject, and all who acted. */
  readonly agents: ReadonlyMap<string, Client>
  /** Hand-overs that the subject token's own grant still allows; `undefined` when it has no grant. */
  readonly maxDepth: number | undefined
}

/** The chain of the new token. */
export type Chain = {
  readonly act: ActClaim | undefined
  /** The agent that hands the work on; `undefined` when one goes on with its own token. */
  readonly giver: Client | undefined
  /** Hand-overs that are allowed below. */
  readonly maxDepth: number
}

/** Extends the chain by the actor, or says why it may not be. */
export function extendChain(request: ChainRequest): Result<Chain, DelegationRefusal> {
  const { actor, agents, subject } = request
  const holder = subject.client_id
  const audience = [subject.aud].flat()
  // Attack prevented (splicing): a token that was overheard or handed out by mistake, extended by an
  // agent that it was neither issued to nor meant for.
  const mayPresent =
    actor.id === holder || audience.includes(actor.id) || subject.may_act?.sub === actor.id
  if (!mayPresent) {
    return refuseExchange(
      'invalid_request',
      'not_presentable',
      'the subject_token was neither issued to this client nor meant for it (aud, may_act)',
    )
  }
  const actors = listActors(subject.act)
  // Its own token, for another audience or with less: nobody new acts.
  if (actor.id === holder) {
    return accept({
      act: subject.act,
      giver: undefined,
      maxDepth: findDepth(request, [subject.sub, ...actors.toReversed()]),
    })
  }
  if (actor.id === subject.sub || actors.includes(actor.id)) {
    return refuseExchange(
      'invalid_request',
      'cycle',
      `${actor.id} is in the chain of the subject_token already: use the token that it was given there`,
    )
  }
  const giver = agents.get(holder)
  if (giver === undefined || !giver.delegation.to.includes(actor.id)) {
    return refuseExchange(
      'invalid_request',
      'not_handed_on',
      `${holder} may not hand its work on to ${actor.id}`,
    )
  }
  const maxDepth = findDepth(request, [subject.sub, ...actors.toReversed()]) - 1
  if (maxDepth < 0) {
    return refuseExchange(
      'invalid_request',
      'too_deep',
      'the work was handed on as often as it may be',
    )
  }
  const act = { sub: actor.id, ...(subject.act === undefined ? {} : { act: subject.act }) }
  return accept({ act, giver, maxDepth })
}

/**
 * How many more hand-overs everybody in the chain allows. It may only shrink: each one's policy counts
 * from its own place, as it is now, and so does what the grant was given with.
 */
function findDepth(request: ChainRequest, chain: readonly string[]): number {
  const last = chain.length - 1
  const left = chain.map((id, place) => {
    const agent = request.agents.get(id)
    return (agent?.delegation.maxDepth ?? 0) - (last - place)
  })
  return Math.min(MAX_DELEGATION_DEPTH - last, request.maxDepth ?? MAX_DELEGATION_DEPTH, ...left)
}
