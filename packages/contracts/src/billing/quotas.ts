// Quotas: what an agent, a task grant or a whole organisation may spend, or use of a meter, in a period.
import { AgentId } from '@deputy/auth/protocol'
import * as z from 'zod'
import { IdempotencyKey } from '../idempotency-key.ts'
import { Money } from '../money.ts'
import { Id, OwnerId, Reason, Service } from './identifiers.ts'

/** Whom a quota binds. */
export const QuotaScope = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('agent'),
    agentId: AgentId.describe('what it spends, as who acts or as whose authority it is'),
  }),
  z.object({
    kind: z.literal('grant'),
    grantId: Id.describe('what is spent by any token below it'),
  }),
  z.object({ kind: z.literal('tenant') }),
])
export type QuotaScope = z.infer<typeof QuotaScope>

/** What a quota counts: money that is held and captured, in minor units, or units of a meter. */
export const QuotaMeasure = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('money'), currency: Money.shape.currency }),
  z.object({ kind: z.literal('usage'), meter: Service.describe('one that adds up: sum or count') }),
])
export type QuotaMeasure = z.infer<typeof QuotaMeasure>

/** Calendar days, months and years in UTC; `total` never begins anew. */
export const QuotaPeriod = z.enum(['day', 'month', 'year', 'total'])
export type QuotaPeriod = z.infer<typeof QuotaPeriod>

export const SetQuotaInput = z.object({
  ownerId: OwnerId,
  scope: QuotaScope,
  measure: QuotaMeasure,
  period: QuotaPeriod,
  cap: z.int().min(0).max(1_000_000_000_000).nullable().describe('null lifts the quota'),
  enforcement: z
    .enum(['refuse', 'report'])
    .default('refuse')
    .describe('report: nothing is refused, the events come all the same'),
  reason: Reason.describe('for whoever looks at it later'),
  idempotencyKey: IdempotencyKey,
})
export type SetQuotaInput = z.infer<typeof SetQuotaInput>

/** A quota, and what is spent of it in the period that it is now. */
export const Quota = z.object({
  quotaId: Id,
  ownerId: z.string(),
  scope: QuotaScope,
  measure: QuotaMeasure,
  period: QuotaPeriod,
  cap: z.int().nullable(),
  enforcement: z.enum(['refuse', 'report']),
  version: z.int().describe('counted up each time it is set'),
  current: z.object({
    startsAt: z.int(),
    endsAt: z.int().optional().describe('the first second of the next period'),
    held: z.int().describe('by holds that have not expired'),
    used: z.int().describe('captured, or metered'),
  }),
})
export type Quota = z.infer<typeof Quota>

export const QuotaInput = z.object({ quotaId: Id })
export type QuotaInput = z.infer<typeof QuotaInput>

/** Who set a quota to what. Never changed. */
export const QuotaVersion = z.object({
  version: z.int(),
  cap: z.int().nullable(),
  enforcement: z.enum(['refuse', 'report']),
  reason: z.string(),
  setAt: z.int(),
  setBy: z.string().describe('the agent that called'),
  subject: z.string(),
  grantId: z.string().optional(),
  traceId: z.string().optional(),
})
export type QuotaVersion = z.infer<typeof QuotaVersion>

export const FullQuota = Quota.extend({
  versions: z.array(QuotaVersion).describe('the latest 100, the latest first'),
})
export type FullQuota = z.infer<typeof FullQuota>

export const QuotasInput = z
  .object({
    ownerId: OwnerId,
    cursor: Id.optional().describe('nextCursor of the page before'),
    limit: z.int().min(1).max(100).default(50),
  })
  .prefault({})
export type QuotasInput = z.infer<typeof QuotasInput>

export const QuotaPage = z.object({ quotas: z.array(Quota), nextCursor: Id.optional() })
export type QuotaPage = z.infer<typeof QuotaPage>

/** A quota came to 80 or to 100 percent: once for each in a period. */
export const QuotaEvent = z.object({
  eventId: z.int().describe('counted up: what a caller goes on after'),
  quotaId: Id,
  ownerId: z.string(),
  scope: QuotaScope,
  measure: QuotaMeasure,
  period: QuotaPeriod,
  periodStart: z.int(),
  threshold: z.union([z.literal(80), z.literal(100)]),
  cap: z.int(),
  spent: z.int().describe('held and used'),
  occurredAt: z.int(),
  agentId: z.string().describe('whose call it was'),
  traceId: z.string().optional(),
})
export type QuotaEvent = z.infer<typeof QuotaEvent>

export const QuotaEventsInput = z
  .object({
    ownerId: OwnerId,
    cursor: z.int().min(0).default(0).describe('nextCursor of the page before'),
    limit: z.int().min(1).max(500).default(100),
  })
  .prefault({})
export type QuotaEventsInput = z.infer<typeof QuotaEventsInput>

export const QuotaEventPage = z.object({
  events: z.array(QuotaEvent),
  nextCursor: z.int().describe('where the next page begins, also when there is none yet'),
})
export type QuotaEventPage = z.infer<typeof QuotaEventPage>

export const WatchQuotasInput = z
  .object({
    ownerId: OwnerId,
    lastEventId: z.coerce
      .number()
      .int()
      .min(0)
      .optional()
      .describe('goes on after it; without one, with what is new'),
  })
  .prefault({})
export type WatchQuotasInput = z.infer<typeof WatchQuotasInput>
