import { agentRouter, scopedProcedure } from '@deputy/auth/trpc'
import { tracked } from '@trpc/server'
import { toCall, type Call } from '../call.ts'
import {
  FullQuota,
  Quota,
  QuotaEventPage,
  QuotaEventsInput,
  QuotaInput,
  QuotaPage,
  QuotasInput,
  SetQuotaInput,
  WatchQuotasInput,
  type QuotaEvent,
} from './quotas.ts'

/** The part of the port that keeps quotas. */
export type QuotaService = {
  set(call: Call, input: SetQuotaInput): Promise<Quota>
  get(call: Call, input: QuotaInput): Promise<FullQuota>
  list(call: Call, input: QuotasInput): Promise<QuotaPage>
  events(call: Call, input: QuotaEventsInput): Promise<QuotaEventPage>
  /** Ends when the call's signal aborts. */
  watch(call: Call, input: WatchQuotasInput): AsyncIterable<QuotaEvent>
}

const BUDGET = ['budget'] as const

/** Creates the procedures below `quotas`. */
export function createQuotaRouter(getService: () => QuotaService) {
  return agentRouter({
    set: scopedProcedure('billing:quotas')
      .input(SetQuotaInput)
      .output(Quota)
      .mutation(async ({ ctx, input }) => getService().set(toCall(ctx), input)),
    get: scopedProcedure({ scopes: ['billing:read'], limits: BUDGET })
      .input(QuotaInput)
      .output(FullQuota)
      .query(async ({ ctx, input }) => getService().get(toCall(ctx), input)),
    list: scopedProcedure({ scopes: ['billing:read'], limits: BUDGET })
      .input(QuotasInput)
      .output(QuotaPage)
      .query(async ({ ctx, input }) => getService().list(toCall(ctx), input)),
    events: scopedProcedure({ scopes: ['billing:read'], limits: BUDGET })
      .input(QuotaEventsInput)
      .output(QuotaEventPage)
      .query(async ({ ctx, input }) => getService().events(toCall(ctx), input)),
    watch: scopedProcedure({ scopes: ['billing:read'], limits: BUDGET })
      .input(WatchQuotasInput)
      .subscription(async function* watch({ ctx, input }) {
        for await (const event of getService().watch(toCall(ctx), input))
          yield tracked(String(event.eventId), event)
      }),
  })
}
