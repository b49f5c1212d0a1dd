// From a grant to a token: written down, then signed, and only then answered.
import { formatScope, type Clock, type TokenResponse } from '@deputy/auth/protocol'
import type { Client } from '../agents/agent.ts'
import { approvalExpired } from '../approvals/require-approval.ts'
import type { AuditEvent } from '../audit/audit-event.ts'
import { toStanding } from '../delegation/grant-node.ts'
import type { Grant } from '../grants/grant.ts'
import { OAuthError } from '../oauth-error.ts'
import type { Storage } from '../storage/open-storage.ts'
import type { AuthorityVersion } from '../clients/client-directory.ts'
import type { Issue } from './issue-log.ts'
import type { PreparedAccessToken, PrepareAccessToken } from './prepare-access-token.ts'

export type GrantedToken = {
  readonly grant: Grant
  /** To whom it is issued, and with which credential. */
  readonly client: { readonly agent: Client; readonly credentialId: string }
  readonly confirmation: { readonly jkt: string } | undefined
  /** What the grant rests on, as the issue log has it. */
  readonly basis: AuthorityVersion | undefined
  /** What the audit entry has of the request. */
  readonly context: Partial<AuditEvent>
}

/**
 * Issues a token. Answers `undefined` when agents or secrets have changed since what it was decided on.
 * Rejects with `OAuthError` for a chain that was revoked or expired meanwhile, and for an approval that has ended.
 */
export type IssueGrantedToken = (request: GrantedToken) => Promise<TokenResponse | undefined>

export type IssueGrantedTokenOptions = {
  readonly prepareAccessToken: PrepareAccessToken
  readonly storage: Pick<Storage, 'act' | 'issues'>
  readonly clock: Clock
}

/** Creates the issuing. */
export function createIssueGrantedToken(options: IssueGrantedTokenOptions): IssueGrantedToken {
  const { clock, prepareAccessToken, storage } = options

  /** One that takes an approval up: an act, and rare enough to be decided by the store alone. */
  async function issueApproved(
    approvalId: string,
    { event, node }: Issue,
    { jwt }: PreparedAccessToken,
  ): Promise<Uint8Array | 'revoked'> {
    const outcome = await storage.act(async (stores, note) => {
      if (node !== undefined) {
        // Attack prevented: a dead chain extended in the moment in which it dies.
        await stores.revocations.hold()
        if ((await stores.revocations.findDenial(toStanding(node))) !== undefined) return 'revoked'
        await stores.grants.insert(node)
      }
      // Attack prevented: an approval that ends between the look at it and the token, and is used all the same.
      const token = { tokenId: event.tokenId ?? '', now: clock.now() }
      if (!(await stores.approvals.markIssued(approvalId, token))) throw approvalExpired(approvalId)
      note(event)
      return 'written'
    })
    return outcome === 'revoked' ? outcome : jwt.signer.sign(jwt.input)
  }

  return async (request) => {
    const { basis, client, confirmation, grant } = request
    const { derived, ...granted } = grant
    // It was there when it was looked at.
    if (derived !== undefined && derived.expiresAt <= clock.now()) {
      throw new OAuthError({
        code: 'invalid_request',
        message: 'what this token would stand on has expired',
        reason: 'chain_expired',
      })
    }
    const prepared = prepareAccessToken({
      ...granted,
      agent: client.agent,
      audience: grant.audience.id,
      confirmation,
      subject: derived?.subject,
      ownerId: derived?.node.ownerId,
      act: derived?.act,
      expiresAt: derived?.expiresAt,
      issuedTokenType: derived?.issuedTokenType,
    })
    const issue = { event: toEvent(request), basis, node: derived?.node }
    const signed =
      grant.approvalId === undefined
        ? await storage.issues.sign(issue, prepared.jwt)
        : await issueApproved(grant.approvalId, issue, prepared)
    if (signed === 'outdated') return undefined
    if (signed !== 'revoked') return prepared.toResponse(signed)
    throw new OAuthError({
      code: 'invalid_request',
      message: 'what this token would stand on was revoked',
      reason: 'chain_revoked',
    })
  }
}

function toEvent({ client, context, grant }: GrantedToken): AuditEvent {
  const { agent, credentialId } = client
  const { derived, grantPath, scopes, tokenId } = grant
  const dropped = derived?.node.dropped.map(({ rule, scope }) => `${scope}:${rule}`) ?? []
  return {
    ...context,
    event: derived?.issuedTokenType === undefined ? 'token.issued' : 'token.exchanged',
    outcome: 'success',
    ownerId: agent.ownerId,
    actorId: agent.id,
    subjectId: derived?.subject ?? agent.id,
    audience: grant.audience.id,
    scope: formatScope(scopes),
    credentialId,
    tokenId,
    ...(derived === undefined
      ? {}
      : {
          grantId: grantPath[1],
          details: { from: derived.node.parentId ?? '', dropped: dropped.join(' ') },
        }),
    ...(grant.approvalId === undefined
      ? {}
      : { target: { kind: 'approval', id: grant.approvalId } }),
  }
}
