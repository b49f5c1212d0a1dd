import { agentRouter, scopedProcedure } from '@deputy/auth/trpc'
import { toCall, type Call } from '../call.ts'
import {
  DefineMeterInput,
  Meter,
  Meters,
  RecordedUsage,
  RecordUsageInput,
  UsageEventPage,
  UsageEventsInput,
  UsageReport,
  UsageReportInput,
} from './usage.ts'

/** The part of the port that meters usage. */
export type UsageService = {
  record(call: Call, input: RecordUsageInput): Promise<RecordedUsage>
  report(call: Call, input: UsageReportInput): Promise<UsageReport>
  events(call: Call, input: UsageEventsInput): Promise<UsageEventPage>
  meters(call: Call): Promise<Meters>
  defineMeter(call: Call, input: DefineMeterInput): Promise<Meter>
}

const BUDGET = ['budget'] as const

/** Creates the procedures below `usage`. Recording declares no budget: usage is paid for with the statement. */
export function createUsageRouter(getService: () => UsageService) {
  return agentRouter({
    record: scopedProcedure('billing:usage')
      .input(RecordUsageInput)
      .output(RecordedUsage)
      .mutation(async ({ ctx, input }) => getService().record(toCall(ctx), input)),
    report: scopedProcedure({ scopes: ['billing:read'], limits: BUDGET })
      .input(UsageReportInput)
      .output(UsageReport)
      .query(async ({ ctx, input }) => getService().report(toCall(ctx), input)),
    events: scopedProcedure({ scopes: ['billing:read'], limits: BUDGET })
      .input(UsageEventsInput)
      .output(UsageEventPage)
      .query(async ({ ctx, input }) => getService().events(toCall(ctx), input)),
    meters: scopedProcedure({ scopes: ['billing:read'], limits: BUDGET })
      .output(Meters)
      .query(async ({ ctx }) => getService().meters(toCall(ctx))),
    defineMeter: scopedProcedure({ scopes: ['billing:prices'], limits: BUDGET })
      .input(DefineMeterInput)
      .output(Meter)
      .mutation(async ({ ctx, input }) => getService().defineMeter(toCall(ctx), input)),
  })
}
