// A book with 32 callers, who hold and capture as agents do: the service as the agent runs it, without HTTP in front.
import { createBillingService } from '../../../apps/billing-agent/src/billing-service.ts'
import { openStorage } from '../../../apps/billing-agent/src/storage/open-storage.ts'
import type { Call } from '../../../packages/contracts/src/call.ts'
import { randomUUID } from 'node:crypto'
import type { DatabaseLocation } from '../../../packages/storage/src/index.ts'
import { AGENTS, agentOf, DEPOSIT_MINOR } from './seed-book.ts'

export type BookUnderLoad = AsyncDisposable & {
  /** Pays in what each agent needs, for a book that begins empty. */
  fund(): Promise<void>
  /** Holds and captures so many quotes. Answers holds and captures a second; all of them are on disk. */
  measure(quotes: number): Promise<number>
}

export type BookUnderLoadOptions = {
  readonly location: DatabaseLocation
  readonly callers: number
}

/** Opens the book. */
export async function openBookUnderLoad(options: BookUnderLoadOptions): Promise<BookUnderLoad> {
  const { callers, location } = options
  const storage = await openStorage(location)
  const service = createBillingService({
    storage,
    receipts: async () => Promise.reject(new TypeError('nobody closes a statement here')),
  })
  const key = (): { readonly idempotencyKey: string } => ({ idempotencyKey: randomUUID() })
  let next = 0

  async function makeQuotes(count: number) {
    const made = Array.from({ length: count }, async () => {
      next += 1
      const call = callBy(agentOf(next % AGENTS))
      const { quoteId } = await service.quote(call, {
        service: 'research.brief',
        units: 2,
        ...key(),
      })
      return { call, quoteId }
    })
    return Promise.all(made)
  }

  return {
    async fund() {
      const amount = { amountMinor: DEPOSIT_MINOR, currency: 'USD' }
      const deposits = Array.from({ length: AGENTS }, async (_, agent) =>
        service.deposit(callBy('operator'), { account: agentOf(agent), amount, ...key() }),
      )
      await Promise.all(deposits)
    },
    async measure(count) {
      const quotes = await makeQuotes(count)
      const startMs = performance.now()
      const work = async (): Promise<void> => {
        for (let quote = quotes.pop(); quote !== undefined; quote = quotes.pop()) {
          const { call, quoteId } = quote
          const { holdId } = await service.hold(call, { quoteId, reference: 'job', ...key() })
          await service.capture(call, { holdId, amountMinor: 15, ...key() })
        }
      }
      await Promise.all(Array.from({ length: callers }, work))
      return ((count * 2) / (performance.now() - startMs)) * 1000
    },
    [Symbol.asyncDispose]: async () => storage.close(),
  }
}

/** By an agent in its own name, with a token below a task grant. */
function callBy(agentId: string): Call {
  const id = `token-of-${agentId}`
  const principal: Call['principal'] = {
    agentId,
    subject: agentId,
    ownerId: 'system',
    audience: 'agent-billing-v2',
    scopes: ['billing:write'],
    priorActors: [],
    expiresAt: undefined,
    grantPath: ['key', `grant-of-${agentId}`, id],
    limits: [],
    credential: { kind: 'access_token', id },
  }
  return { principal, signal: undefined, traceId: '4bf92f3577b34da6a3ce929d0e0e4736' }
}
