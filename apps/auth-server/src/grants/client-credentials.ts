// The client credentials grant (RFC 6749 §4.4): an authenticated client gets a token in its own name,
// or under a task grant that was opened for it.
import type { Clock } from '@deputy/auth/protocol'
import { createId } from '@deputy/storage'
import type { RequireApproval } from '../approvals/require-approval.ts'
import { refineDetails } from '../delegation/refine-details.ts'
import type { GrantStore } from '../delegation/grant-store.ts'
import { OAuthError } from '../oauth-error.ts'
import { approveDetails, readRequestedDetails, withholdForCall } from './approved-call.ts'
import type { AuthorizationDetail } from './authorization-details.ts'
import type { GrantType } from './grant.ts'
import { findTargets, readMayAct, readScopes, toPathRoot } from './read-parameters.ts'
import { resolveTarget } from './resolve-target.ts'
import { createTaskGrants, type UnderTask } from './task-grants.ts'

export type ClientCredentialsOptions = {
  readonly grants: Pick<GrantStore, 'find'>
  readonly requireApproval: RequireApproval
  readonly clock: Clock
}

/** Creates the grant. */
export function createClientCredentialsGrant(options: ClientCredentialsOptions): GrantType {
  const { clock, requireApproval } = options
  const tasks = createTaskGrants(options)

  return async (request) => {
    const { body, client, clients, credentialId } = request
    const { call, others } = await readRequestedDetails(body)
    const task = await tasks.find(request, others)
    const narrowed = task?.client ?? client
    const audience = body.get('audience')
    const requested = readScopes(body)
    const target = resolveTarget({
      client: narrowed,
      targets: await findTargets(clients, narrowed, audience),
      audience,
      resource: body.get('resource'),
      scopes: requested,
    })
    if (!target.ok) throw new OAuthError(target.refusal)
    const { agent } = target.value
    const { scopes } = withholdForCall({ ...target.value, requested, client, target: agent, call })
    const tokenId = createId(clock.now())
    const root = toPathRoot(client, credentialId)
    const stoodOn = task === undefined ? [root] : [root, task.node.id]
    const mayAct = readMayAct(body, narrowed)
    const { approvalId, details } = await approveDetails(requireApproval, {
      call,
      details: stampDetails(task, others, tokenId),
      target: agent,
      describe: () => ({
        agentId: client.id,
        subjectId: task?.node.subjectId ?? client.id,
        actors: task === undefined || task.node.subjectId === client.id ? [] : [client.id],
        ownerId: task?.node.ownerId ?? client.ownerId,
        audience: agent.id,
        scopes: [...scopes],
        grantPath: stoodOn,
        context: request.context,
      }),
    })
    const grant = {
      audience: agent,
      scopes,
      authorizationDetails: details.length === 0 ? undefined : [...details],
      tokenId,
      grantPath: [...stoodOn, tokenId],
      approvalId,
      mayAct,
    }
    if (task === undefined) return grant
    return { ...grant, derived: tasks.derive(task, { ...grant, ...request }) }
  }
}

/** The task's limits with what was asked for beside them; or what the client asks of its own accord. */
function stampDetails(
  task: UnderTask | undefined,
  requested: readonly AuthorizationDetail[],
  id: string,
): readonly AuthorizationDetail[] {
  const limits = requested.filter(({ type }) => type !== 'task_grant')
  const [own, others] =
    task === undefined ? partition(limits, isForDeputy) : [limits, [] as AuthorizationDetail[]]
  const refined = refineDetails({ carried: task?.node.limits ?? [], requested: own, id })
  if (!refined.ok) throw new OAuthError({ ...refined.refusal, reason: refined.refusal.rule })
  return [...refined.value, ...others]
}

function isForDeputy({ type }: AuthorizationDetail): boolean {
  return ['budget', 'calls', 'allowed_values'].includes(type)
}

function partition<Item>(
  items: readonly Item[],
  fits: (item: Item) => boolean,
): [readonly Item[], readonly Item[]] {
  return [items.filter(fits), items.filter((item) => !fits(item))]
}
