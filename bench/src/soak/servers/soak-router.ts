// What the soak's clients subscribe to and call.
import { agentRouter, scopedProcedure, tracked } from '../../../../packages/auth/src/trpc/index.ts'
import { EventEmitter, once } from 'node:events'
import * as z from 'zod'

/** Numbers, one after the other, as time goes. */
export type Ticker = {
  readonly now: () => number
  readonly next: (signal: AbortSignal) => Promise<unknown>
}

/** Starts counting. */
export function startTicker(everyMs: number): Ticker {
  const ticks = new EventEmitter().setMaxListeners(0)
  let count = 0
  setInterval(() => {
    count += 1
    ticks.emit('tick')
  }, everyMs).unref()
  return {
    now: () => count,
    next: async (signal) => once(ticks, 'tick', { signal }).catch(() => undefined),
  }
}

/** Creates the router. */
export function createSoakRouter(ticker: Ticker) {
  return agentRouter({
    echo: scopedProcedure('notes:read')
      .input(z.object({ text: z.string() }))
      .query(({ input }) => ({ text: input.text })),
    ticks: scopedProcedure('notes:read')
      .input(z.object({ lastEventId: z.string().optional() }).optional())
      .subscription(async function* ticks({ ctx, input }) {
        const signal = ctx.getSignal()
        let last = input?.lastEventId === undefined ? ticker.now() : Number(input.lastEventId)
        while (!signal.aborted) {
          while (last < ticker.now()) {
            last += 1
            yield tracked(String(last), last)
          }
          await ticker.next(signal)
        }
      }),
  })
}
export type SoakRouter = ReturnType<typeof createSoakRouter>
