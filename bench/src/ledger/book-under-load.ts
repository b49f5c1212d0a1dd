// A book with 32 callers, who hold and capture as agents do: the service as the agent runs it, without HTTP in front.
import { createBillingService } from '../../../apps/billing-agent/src/billing-service.ts'
import { openStorage } from '../../../apps/billing-agent/src/storage/open-storage.ts'
import type { Call } from '../../../packages/contracts/src/call.ts'
import { createId, type DatabaseLocation } from '../../../packages/storage/src/index.ts'
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
  const calls = Array.from({ length: AGENTS }, (_, agent) => callBy(agentOf(agent)))
  const operator = callBy('operator')
  let next = 0

  async function makeQuotes(count: number) {
    const made = Array.from({ length: count }, async () => {
      next += 1
      const call = calls[next % AGENTS] ?? operator
      const job = createIdNow()
      const work = { service: 'research.brief', units: 2, ...keyOf(job, 'quote') } as const
      const { quoteId } = await service.quote(call, work)
      return { call, job, quoteId }
    })
    return Promise.all(made)
  }

  return {
    async fund() {
      const amount = { amountMinor: DEPOSIT_MINOR, currency: 'USD' }
      const deposits = Array.from({ length: AGENTS }, async (_, agent) =>
        service.deposit(operator, {
          account: agentOf(agent),
          amount,
          ...keyOf(createIdNow(), 'deposit'),
        }),
      )
      await Promise.all(deposits)
    },
    async measure(count) {
      const quotes = await makeQuotes(count)
      const startMs = performance.now()
      const work = async (): Promise<void> => {
        for (let quote = quotes.pop(); quote !== undefined; quote = quotes.pop()) {
          const { call, job, quoteId } = quote
          const hold = { quoteId, reference: job, ...keyOf(job, 'hold') }
          const { holdId } = await service.hold(call, hold)
          await service.capture(call, { holdId, amountMinor: 15, ...keyOf(job, 'capture') })
        }
      }
      await Promise.all(Array.from({ length: callers }, work))
      return ((count * 2) / (performance.now() - startMs)) * 1000
    },
    [Symbol.asyncDispose]: async () => storage.close(),
  }
}

const createIdNow = (): string => createId(Math.floor(Date.now() / 1000))

/** A key as research makes it: of its job's id, which begins with its moment, and of the step. */
const keyOf = (job: string, step: string) => ({ idempotencyKey: `${job}:${step}` })

/** By an agent in its own name, with a token below a task grant, both new, with ids as the authorization server makes them. */
function callBy(agentId: string): Call {
  const id = createIdNow()
  const principal: Call['principal'] = {
    agentId,
    subject: agentId,
    ownerId: 'system',
    audience: 'agent-billing-v2',
    scopes: ['billing:write'],
    priorActors: [],
    expiresAt: undefined,
    grantPath: [`credential-of-${agentId}`, createIdNow(), id],
    limits: [],
    credential: { kind: 'access_token', id },
  }
  return { principal, signal: undefined, traceId: '4bf92f3577b34da6a3ce929d0e0e4736' }
}
