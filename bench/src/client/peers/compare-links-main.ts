// Calls a second through Deputy's client beside tRPC's own links with a fixed header: in a process of its own,
// all in turn. Says by IPC how many each made in each slice.
import { createTRPCClient, httpBatchLink, httpLink } from '@trpc/client'
import { clientSecret, createAgentClient } from '../../../../packages/client/src/index.ts'
import { createPool } from '../../../../packages/client/src/node/index.ts'
import { planRounds } from '../../slices/plan-rounds.ts'
import type { BenchRouter } from '../agent-main.ts'
import { LinkPlan } from '../link-plan.ts'

/** Callers that wait for their answer and call again. */
const CALLERS = 64
const WARM_UP_MS = 2000
const SLICE_MS = 500

type Contestant = { readonly name: string; readonly call: () => Promise<{ readonly text: string }> }

const {
  agentUrl,
  credentials: identity,
  slices,
  target,
} = LinkPlan.parse(JSON.parse(process.env['BENCH_LINK_PLAN'] ?? '{}'))
await using pool = createPool()
const url = `${agentUrl}/trpc`
const credentials = clientSecret(identity)
const authorization = await credentials(target).authorize()
const headers = authorization.toHeaders()
const deputy = (settings: object) =>
  createAgentClient<BenchRouter>({ url: agentUrl, credentials, ...target, ...settings })
/** What tRPC's link gives to `fetch`. */
type Init = {
  readonly method?: string | undefined
  readonly headers?: unknown
  readonly body?: unknown
  readonly signal?: AbortSignal | null | undefined
}
const poolFetch = async (input: string | URL | Request, init: Init = {}) =>
  pool.fetch(input instanceof Request ? input.url : String(input), {
    method: init.method ?? 'GET',
    headers: Object.fromEntries(Object.entries(init.headers ?? {})),
    body: typeof init.body === 'string' ? init.body : null,
    signal: init.signal ?? null,
    redirect: 'manual',
  })
const own = { fetch: deputy({}), pool: deputy({ fetch: pool.fetch }) }
const stock = {
  fetch: createTRPCClient<BenchRouter>({ links: [httpBatchLink({ url, headers })] }),
  pool: createTRPCClient<BenchRouter>({
    links: [httpBatchLink({ url, headers, fetch: poolFetch })],
  }),
  http: createTRPCClient<BenchRouter>({ links: [httpLink({ url, headers })] }),
}
const input = { text: 'a small input' }
const contestants: readonly Contestant[] = [
  { name: 'deputy', call: async () => own.fetch.echo.query(input) },
  { name: 'trpc-batch-link', call: async () => stock.fetch.echo.query(input) },
  { name: 'deputy-pool', call: async () => own.pool.echo.query(input) },
  { name: 'trpc-batch-link-pool', call: async () => stock.pool.echo.query(input) },
  { name: 'trpc-http-link', call: async () => stock.http.echo.query(input) },
]
const measured = new Map(contestants.map(({ name }) => [name, new Array<number>()]))
for (const contestant of contestants) await runSlice(contestant, WARM_UP_MS)
for (const [round, order] of planRounds(contestants, slices).entries()) {
  for (const contestant of order) {
    measured.get(contestant.name)?.push(await runSlice(contestant, SLICE_MS))
  }
  process.send?.({ round: round + 1 })
}
process.send?.({ callsPerSecond: Object.fromEntries(measured) })
process.disconnect?.()

/** Calls a second of one slice. */
async function runSlice({ call, name }: Contestant, ms: number): Promise<number> {
  const start = performance.now()
  let answered = 0
  const work = async (): Promise<void> => {
    while (performance.now() - start < ms) {
      const { text } = await call()
      if (text !== 'a small input') throw new TypeError(`${name} answered something else: ${text}`)
      answered += 1
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, work))
  return (answered * 1000) / (performance.now() - start)
}
