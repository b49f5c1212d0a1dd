// Token exchange (RFC 8693): an agent takes on the authority of the token that it was called with, to
// act with it elsewhere, with no more than is needed there. Delegation only: `sub` stays whose authority
// it is, and `act` says who acts. Impersonation is not offered.
import { MAX_GRANT_PATH, type AccessTokenClaims, type Clock } from '@deputy/auth/protocol'
import { createId } from '@deputy/storage'
import type { Client } from '../agents/agent.ts'
import type { RequireApproval } from '../approvals/require-approval.ts'
import type { ClientDirectory } from '../clients/client-directory.ts'
import type { DelegationRefusal } from '../delegation/delegation-refusal.ts'
import { extendChain } from '../delegation/extend-chain.ts'
import type { GrantStore } from '../delegation/grant-store.ts'
import { narrowScopes } from '../delegation/narrow-scopes.ts'
import { refineDetails } from '../delegation/refine-details.ts'
import type { FormBody } from '../endpoints/form-body.ts'
import { OAuthError } from '../oauth-error.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import { listActors, readStanding } from '../revocation/standing.ts'
import type { VerifyIssuedToken } from '../tokens/verify-issued-token.ts'
import { approveDetails, readRequestedDetails, withholdForCall } from './approved-call.ts'
import type { Grant, GrantRequest, GrantType } from './grant.ts'
import { findTargets, readMayAct, readScopes } from './read-parameters.ts'
import { chooseTarget } from './resolve-target.ts'

/** The `grant_type` (RFC 8693 §2.1). */
export const TOKEN_EXCHANGE_GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** Types of tokens that are taken and given (RFC 8693 §3). */
export const ACCESS_TOKEN_TYPE_URI = 'urn:ietf:params:oauth:token-type:access_token'
const TOKEN_TYPES: ReadonlySet<string> = new Set([
  ACCESS_TOKEN_TYPE_URI,
  'urn:ietf:params:oauth:token-type:jwt',
])

/** Longest life of an exchanged token, in seconds. */
export const MAX_EXCHANGED_TTL_SECONDS = 300

export type TokenExchangeOptions = {
  readonly verifyToken: VerifyIssuedToken
  readonly grants: Pick<GrantStore, 'find'>
  readonly requireApproval: RequireApproval
  readonly clock: Clock
}

/** Creates the grant. */
export function createTokenExchangeGrant(options: TokenExchangeOptions): GrantType {
  const { clock, grants, requireApproval, verifyToken } = options

  /** Reads a token of the request with its type, or refuses both (§2.1, §2.2.2). */
  async function readToken(body: FormBody, name: 'subject_token' | 'actor_token') {
    const token = body.get(name)
    const type = body.get(`${name}_type`)
    if (token === undefined) {
      // > actor_token_type: […] it MUST NOT be included when actor_token is not included. (§2.1)
      if (type !== undefined || name === 'subject_token') throw invalid(`${name} is missing`)
      return undefined
    }
    if (type === undefined) throw invalid(`${name}_type is missing`)
    if (!TOKEN_TYPES.has(type)) {
      throw invalid(`${name}_type must be ${ACCESS_TOKEN_TYPE_URI}`)
    }
    const claims = await verifyToken(token)
    if (claims !== undefined) return claims
    throw invalid(
      `the ${name} is no access token of this server, or has expired`,
      `${name}_invalid`,
    )
  }

  async function readTokens({ body, client, trail }: GrantRequest): Promise<AccessTokenClaims> {
    const requestedType = body.get('requested_token_type') ?? ACCESS_TOKEN_TYPE_URI
    if (!TOKEN_TYPES.has(requestedType)) {
      throw invalid(`requested_token_type must be ${ACCESS_TOKEN_TYPE_URI}`)
    }
    const subject = await readToken(body, 'subject_token')
    if (subject === undefined) throw invalid('subject_token is missing')
    trail.note({ subjectId: subject.sub, grantId: findTreeId(subject), tokenId: subject.jti })
    const actor = await readToken(body, 'actor_token')
    // Attack prevented: acting in the name of an agent whose token somebody got hold of.
    if (actor !== undefined && actor.client_id !== client.id) {
      throw invalid('the actor_token is not of the client that presents it', 'actor_token_foreign')
    }
    return subject
  }

  /** Everybody in the chain, all of them still there. */
  async function findChain(
    subject: AccessTokenClaims,
    clients: ClientDirectory,
  ): Promise<ReadonlyMap<string, Client>> {
    const { agentIds } = readStanding(subject)
    const agents = await clients.findMany(agentIds)
    if (agents.length === agentIds.length && agents.every(({ state }) => state === 'active')) {
      return new Map(agents.map((agent) => [agent.id, agent]))
    }
    throw invalid('an agent in the chain of the subject_token was deactivated', 'subject_ended')
  }

  return async (request) => {
    const { body, client, clients, credentialId } = request
    const subject = await readTokens(request)
    checkBinding(subject, request)
    checkNotForOneCall(subject)
    const { call, others } = await readRequestedDetails(body)
    const agents = await findChain(subject, clients)
    const parent = await grants.find({ id: subject.jti, within: EVERY_OWNER })
    const chain = orThrow(
      extendChain({ subject, actor: client, agents, maxDepth: parent?.maxDepth }),
    )
    const audience = body.get('audience')
    const requested = readScopes(body)
    const target = chooseTarget({
      client,
      targets: await findTargets(clients, client, audience),
      audience,
      resource: body.get('resource'),
      scopes: requested,
    })
    if (!target.ok) throw new OAuthError(target.refusal)
    const authority = agents.get(subject.sub)
    if (authority === undefined) throw new Error('the subject is part of its own chain')
    const narrowed = orThrow(
      narrowScopes({
        carried: (subject.scope ?? '').split(' ').filter(Boolean),
        subject: authority,
        giver: chain.giver,
        actor: client,
        target: target.value,
        requested,
      }),
    )
    const { scopes, withheld } = withholdForCall({
      ...narrowed,
      requested,
      client,
      target: target.value,
      call,
    })
    const dropped = [
      ...narrowed.dropped,
      ...withheld.map((scope) => ({ scope, rule: 'needs_approval' as const })),
    ]
    const tokenId = createId(clock.now())
    const refined = orThrow(
      refineDetails({
        carried: subject.authorization_details ?? [],
        requested: others,
        id: tokenId,
      }),
    )
    const grantPath = extendPath(subject, tokenId)
    const actors = [...listActors(chain.act)]
    // Never that of the subject token: who may act next is asked for anew.
    const mayAct = readMayAct(body, client)
    const { approvalId, details: limits } = await approveDetails(requireApproval, {
      call,
      details: refined,
      target: target.value,
      describe: () => ({
        agentId: client.id,
        subjectId: subject.sub,
        actors,
        ownerId: authority.ownerId,
        audience: target.value.id,
        scopes: [...scopes],
        grantPath: grantPath.slice(0, -1),
        context: request.context,
      }),
    })
    const now = clock.now()
    const expiresAt = Math.min(
      subject.exp,
      now + Math.min(MAX_EXCHANGED_TTL_SECONDS, client.accessTokenTtlSeconds),
    )
    return {
      audience: target.value,
      scopes,
      authorizationDetails: limits.length === 0 ? undefined : [...limits],
      tokenId,
      grantPath,
      approvalId,
      mayAct,
      derived: {
        subject: subject.sub,
        act: chain.act,
        expiresAt,
        issuedTokenType: ACCESS_TOKEN_TYPE_URI,
        node: {
          id: tokenId,
          kind: 'token',
          parentId: subject.jti,
          grantPath: [...grantPath],
          ownerId: authority.ownerId,
          subjectId: subject.sub,
          agentId: client.id,
          actors,
          audiences: [target.value.id],
          scopes: [...scopes],
          dropped,
          limits: [...limits],
          maxDepth: chain.maxDepth,
          credentialId,
          openedBy: client.id,
          purpose: '',
          createdAt: now,
          expiresAt,
        },
      },
    } satisfies Grant
  }
}

/** Attack prevented: a stolen bound token, useless by itself, exchanged for one that needs no key. */
function checkBinding(subject: AccessTokenClaims, { client, confirmation }: GrantRequest): void {
  if (subject.cnf === undefined) return
  if (confirmation === undefined) {
    throw invalid('the subject_token is bound to a key: send a DPoP proof', 'binding_missing')
  }
  // Whoever goes on with its own token proves the key of that token; another agent brings its own.
  if (client.id === subject.client_id && confirmation.jkt !== subject.cnf.jkt) {
    throw invalid('the subject_token is bound to another key than the proof', 'binding_changed')
  }
}

/** What was approved is one call of its holder's, and nothing that could be handed on. */
function checkNotForOneCall({ authorization_details: details = [] }: AccessTokenClaims): void {
  if (!details.some(({ type }) => type === 'approved_call')) return
  throw invalid('the subject_token is good for one approved call alone', 'approved_call_only')
}

/** Begins the path of what comes from a token of before there were paths. */
const UNKNOWN_CREDENTIAL = 'unknown'

function extendPath(subject: AccessTokenClaims, tokenId: string): readonly string[] {
  const path = [...(subject.grant_path ?? [UNKNOWN_CREDENTIAL, subject.jti]), tokenId]
  if (path.length <= MAX_GRANT_PATH) return path
  throw invalid('the subject_token was exchanged as often as it may be', 'too_deep')
}

/** What the audit trail files the whole tree under: its task grant, or its first token. */
export function findTreeId({ grant_path: path, jti }: AccessTokenClaims): string {
  // The first is the credential.
  return path === undefined ? jti : (path[1] ?? jti)
}

function orThrow<Value>(
  result:
    | { readonly ok: true; readonly value: Value }
    | { readonly ok: false; readonly refusal: DelegationRefusal },
): Value {
  if (result.ok) return result.value
  const { code, message, rule } = result.refusal
  throw new OAuthError({ code, message, reason: rule })
}

// > If the request itself is not valid or if either the subject_token or actor_token are invalid for
// > any reason, or are unacceptable based on policy, the authorization server MUST construct an error
// > response […]. The value of the error parameter MUST be the invalid_request error code. (§2.2.2)
function invalid(message: string, reason?: string): OAuthError {
  return new OAuthError({ code: 'invalid_request', message, reason })
}
