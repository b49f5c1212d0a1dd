// A token under a task grant: the agent asks for it with `authorization_details` of the type
// `task_grant`, and gets no more than both it and the task may have.
import type { ActClaim, Clock } from '@deputy/auth/protocol'
import type { Client } from '../agents/agent.ts'
import type { GrantNode } from '../delegation/grant-node.ts'
import type { GrantStore } from '../delegation/grant-store.ts'
import { OAuthError } from '../oauth-error.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import type { AuthorizationDetail } from './authorization-details.ts'
import type { Derivation, Grant, GrantRequest } from './grant.ts'

/** A task grant, and its agent with no more than the task lets it have. */
export type UnderTask = { readonly node: GrantNode; readonly client: Client }

/** What the tree of grants is told of a token. */
export type TokenUnderTask = Omit<Grant, 'derived'> & GrantRequest

export type TaskGrantsOptions = {
  readonly grants: Pick<GrantStore, 'find'>
  readonly clock: Clock
}

/** Creates the look-up of task grants. Rejects with `OAuthError`. */
export function createTaskGrants({ clock, grants }: TaskGrantsOptions) {
  return {
    async find(
      { client, clients }: Pick<GrantRequest, 'client' | 'clients'>,
      details: readonly AuthorizationDetail[],
    ): Promise<UnderTask | undefined> {
      const [named, ...others] = details.filter(({ type }) => type === 'task_grant')
      if (named === undefined) return undefined
      if (others.length > 0) throw invalid('name one task grant, not several', 'ambiguous')
      const node = await grants.find({ id: named.identifier ?? '', within: EVERY_OWNER })
      // Attack prevented: learning which grants there are. One for another agent is not there.
      if (node?.kind !== 'task' || node.agentId !== client.id) {
        throw invalid('there is no such task grant for this client', 'task_grant_unknown')
      }
      if (node.revokedAt !== undefined) {
        throw invalid('the task grant was revoked', 'task_grant_revoked')
      }
      if (node.expiresAt <= clock.now()) {
        throw invalid('the task grant has expired', 'task_grant_expired')
      }
      const subject = node.subjectId === client.id ? client : await clients.find(node.subjectId)
      if (subject?.state !== 'active') {
        throw invalid('the agent whose task it is has been deactivated', 'subject_ended')
      }
      const scopes = node.scopes.filter(
        (scope) => client.scopes.includes(scope) && subject.scopes.includes(scope),
      )
      const audiences = client.audiences.filter((id) => node.audiences.includes(id))
      return { node, client: { ...client, scopes, audiences } }
    },

    derive({ client, node: task }: UnderTask, token: TokenUnderTask): Derivation {
      const { audience, authorizationDetails, credentialId, grantPath, scopes, tokenId } = token
      const isOwn = task.subjectId === client.id
      const act: ActClaim | undefined = isOwn ? undefined : { sub: client.id }
      const now = clock.now()
      const expiresAt = Math.min(task.expiresAt, now + client.accessTokenTtlSeconds)
      const left = task.scopes.filter((scope) => !scopes.includes(scope))
      return {
        subject: task.subjectId,
        act,
        expiresAt,
        node: {
          id: tokenId,
          kind: 'token',
          parentId: task.id,
          grantPath: [...grantPath],
          ownerId: task.ownerId,
          subjectId: task.subjectId,
          agentId: client.id,
          actors: isOwn ? [] : [client.id],
          audiences: [audience.id],
          scopes: [...scopes],
          dropped: left.map((scope) => ({ scope, rule: 'not_requested' })),
          limits: authorizationDetails ?? [],
          maxDepth: task.maxDepth,
          credentialId,
          openedBy: client.id,
          purpose: '',
          createdAt: now,
          expiresAt,
        },
      }
    },
  }
}

function invalid(what: string, reason: string): OAuthError {
  const message = `authorization_details: ${what}`
  return new OAuthError({ code: 'invalid_authorization_details', message, reason })
}
