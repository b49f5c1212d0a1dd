import type { EpochSeconds } from '@deputy/auth/protocol'
import { requireScope } from '@deputy/auth/trpc'
import type {
  FullQuota,
  Quota,
  QuotaEventPage,
  QuotaEventsInput,
  QuotaInput,
  QuotaPage,
  QuotasInput,
} from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import { operatedOwner, ownerOf, SYSTEM_OWNER_ID } from '../owners/owner.ts'
import { periodOf } from '../periods/period.ts'
import { refuseCall } from '../refusals.ts'
import type { ServiceDeps } from '../service-deps.ts'
import { spenderOf } from './charge-quotas.ts'
import type { QuotaRecord, QuotaStore, QuotaViewer } from './quota-store.ts'

const MAX_VERSIONS = 100

/**
 * Whose quotas a call sees: those that bind the caller by name; all of the organisation for whoever has
 * `billing:audit`. Throws `owner_unknown` and the 403 of a missing scope.
 */
export function viewerOf(call: Call, ownerId: string | undefined): QuotaViewer {
  const { principal } = call
  const isAuditor = principal.scopes.includes('billing:audit')
  if (ownerId !== undefined) requireScope(principal, 'billing:audit')
  const owner = operatedOwner(principal, ownerId)
  return { ownerId: owner, only: isAuditor ? undefined : spenderOf(call, owner) }
}

/** A quota with what is spent of it now. */
export async function toQuota(
  quotas: QuotaStore,
  { cap, enforcement, measure, ownerId, period, quotaId, scope, version }: QuotaRecord,
  now: EpochSeconds,
): Promise<Quota> {
  const { endsAt, startsAt } = periodOf(period, now)
  const use = await quotas.useOf(quotaId, startsAt, now)
  const record = { quotaId, ownerId, scope, measure, period, cap, enforcement, version }
  return { ...record, current: { startsAt, endsAt, ...use } }
}

/** `quotas.list`: by id, page by page. */
export async function listQuotas(
  { clock, storage }: ServiceDeps,
  call: Call,
  { cursor = '', limit, ownerId }: QuotasInput,
): Promise<QuotaPage> {
  const viewer = viewerOf(call, ownerId)
  return storage.read(async ({ quotas }) => {
    const found = await quotas.list(viewer, { afterId: cursor, limit: limit + 1 })
    const page = found.slice(0, limit)
    const now = clock.now()
    return {
      quotas: await Promise.all(page.map(async (quota) => toQuota(quotas, quota, now))),
      nextCursor: found.length > limit ? page.at(-1)?.quotaId : undefined,
    }
  })
}

/** `quotas.get`: with who set it to what. For an auditor of `system`, of any organisation. */
export async function getQuota(
  { clock, storage }: ServiceDeps,
  call: Call,
  { quotaId }: QuotaInput,
): Promise<FullQuota> {
  const { ownerId, only } = viewerOf(call, undefined)
  const isOperator = only === undefined && ownerOf(call.principal) === SYSTEM_OWNER_ID
  return storage.read(async ({ quotas }) => {
    const viewer = { ownerId: isOperator ? undefined : ownerId, only }
    const quota = await quotas.find(viewer, quotaId)
    if (quota === undefined) throw refuseCall('quota_unknown', `No quota ${quotaId}`)
    return {
      ...(await toQuota(quotas, quota, clock.now())),
      versions: [...(await quotas.listVersions(quotaId, MAX_VERSIONS))],
    }
  })
}

/** `quotas.events`: in the order in which they came, from the cursor on. */
export async function listQuotaEvents(
  { storage }: ServiceDeps,
  call: Call,
  { cursor, limit, ownerId }: QuotaEventsInput,
): Promise<QuotaEventPage> {
  const viewer = viewerOf(call, ownerId)
  return storage.read(async ({ quotas }) => {
    const events = await quotas.listEvents({ viewer, afterId: cursor, limit })
    return { events: [...events], nextCursor: events.at(-1)?.eventId ?? cursor }
  })
}
