// Metering: what was used, event by event, and what it comes to.
import { AgentId } from '@deputy/auth/protocol'
import * as z from 'zod'
import { IdempotencyKey } from '../idempotency-key.ts'
import { Id, Key, Moment, OwnerId, Reason, Service } from './identifiers.ts'

/**
 * What events of a meter come to in a calendar month (UTC): their quantities added up, how many there are, how many
 * different keys they name, or the greatest quantity.
 */
export const Aggregation = z.enum(['sum', 'count', 'unique', 'max'])
export type Aggregation = z.infer<typeof Aggregation>

/** What is measured, under the name of the service that the price book has a price for. */
export const Meter = z.object({
  meter: Service,
  aggregation: Aggregation,
  description: z.string(),
  definedAt: z.int(),
  definedBy: z.string(),
})
export type Meter = z.infer<typeof Meter>

export const Meters = z.object({ meters: z.array(Meter).describe('by name, 1,000 at most') })
export type Meters = z.infer<typeof Meters>

export const DefineMeterInput = z.object({
  meter: Service,
  aggregation: Aggregation,
  description: Reason,
  idempotencyKey: IdempotencyKey,
})
export type DefineMeterInput = z.infer<typeof DefineMeterInput>

const Quantity = z.int().min(0).max(1_000_000_000)

/** Something that was used, or what an event that was recorded before should have said. */
export const UsageEventInput = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('usage'),
    eventId: Id.describe("the source's own: recorded once"),
    meter: Service,
    account: AgentId.optional().describe("who used it: the caller's account where left out"),
    quantity: Quantity.default(1),
    uniqueKey: Key.optional().describe('of a meter that counts keys'),
    happenedAt: Moment.optional().describe(
      'epoch seconds, now where left out: the month that it is billed in',
    ),
  }),
  z.object({
    kind: z.literal('correction'),
    eventId: Id,
    corrects: Id.describe('the eventId of the event that it corrects, of the same source'),
    quantity: Quantity.describe('what is right; 0 for an event that did not happen'),
    reason: Reason,
  }),
])
export type UsageEventInput = z.infer<typeof UsageEventInput>

export const RecordUsageInput = z.object({
  ownerId: OwnerId,
  events: z
    .array(UsageEventInput)
    .min(1)
    .max(500)
    .refine(
      (events) => new Set(events.map(({ eventId }) => eventId)).size === events.length,
      'each eventId once',
    ),
})
export type RecordUsageInput = z.infer<typeof RecordUsageInput>

/** All of it is on disk, or none. */
export const RecordedUsage = z.object({
  recorded: z.int(),
  duplicates: z.array(Id).describe('events that were recorded before, with the same content'),
})
export type RecordedUsage = z.infer<typeof RecordedUsage>

/** A meter in a month, as a place to go on from. */
const MonthCursor = z
  .string()
  .max(80)
  .regex(/^\d{1,12}\/[a-z0-9.-]+$/, 'must be a nextCursor')

export const UsageReportInput = z
  .object({
    account: AgentId.optional().describe("the caller's by default; any, for an auditor"),
    ownerId: OwnerId,
    since: Moment.default(0).describe('epoch seconds: months that end after it'),
    cursor: MonthCursor.optional().describe('nextCursor of the page before'),
  })
  .prefault({})
export type UsageReportInput = z.infer<typeof UsageReportInput>

/** What a meter came to in a month, and how much of it is on statements. */
export const MonthlyUsage = z.object({
  meter: Service,
  aggregation: Aggregation,
  periodStart: z.int(),
  periodEnd: z.int().describe('the first second of the next month'),
  quantity: z.int(),
  events: z.int().describe('corrected ones once; those that did not happen not at all'),
  billedQuantity: z.int(),
  billedMinor: z.int(),
})
export type MonthlyUsage = z.infer<typeof MonthlyUsage>

export const UsageReport = z.object({
  account: AgentId,
  months: z.array(MonthlyUsage).describe('the latest first, 1,000 a page'),
  nextCursor: MonthCursor.optional(),
})
export type UsageReport = z.infer<typeof UsageReport>

export const UsageEventsInput = z
  .object({
    account: AgentId.optional().describe("the caller's by default; any, for an auditor"),
    ownerId: OwnerId,
    meter: Service.optional(),
    cursor: z.int().min(0).default(0).describe('nextCursor of the page before'),
    limit: z.int().min(1).max(500).default(100),
  })
  .prefault({})
export type UsageEventsInput = z.infer<typeof UsageEventsInput>

/** An event as it was recorded. */
export const UsageEvent = z.object({
  sequence: z.int(),
  source: z.string().describe('the agent that recorded it'),
  eventId: Id,
  account: AgentId,
  meter: Service,
  quantity: z.int(),
  uniqueKey: z.string().optional(),
  happenedAt: z.int(),
  recordedAt: z.int(),
  corrects: Id.optional(),
  reason: z.string().optional(),
  subject: z.string(),
  grantId: z.string().optional(),
  traceId: z.string().optional(),
})
export type UsageEvent = z.infer<typeof UsageEvent>

export const UsageEventPage = z.object({
  events: z.array(UsageEvent),
  nextCursor: z.int().optional(),
})
export type UsageEventPage = z.infer<typeof UsageEventPage>

/** Usage of a month on a statement: what came since it was billed before, at the price that it was billed with. */
export const UsageLine = z.object({
  meter: Service,
  periodStart: z.int(),
  periodEnd: z.int(),
  kind: z.enum(['usage', 'adjustment']).describe('adjustment: of a month that was billed before'),
  totalQuantity: z.int().describe('of the month, as it is known now'),
  quantity: z.int().describe('what is billed here; below zero where less was used than was billed'),
  baseMinor: z.int(),
  unitPriceMinor: z.int(),
  priceBookVersion: z.string(),
  amountMinor: z.int(),
  evidence: z.object({
    events: z.int(),
    eventsSha256: z
      .string()
      .describe('of source, event id and quantity as JSON, a line each, in the order of recording'),
  }),
})
export type UsageLine = z.infer<typeof UsageLine>
