import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { summarize, summarizeRatio, type Summary } from '../slices/statistics.ts'
import { LinkMessage, type LinkPlan } from './link-plan.ts'
import { AGENT_ID, SCOPE, type Client, type ClientWorld } from './start-client-world.ts'

export type LinkResults = {
  /** Beside tRPC's `httpBatchLink`, both with the platform's `fetch`. */
  readonly batchLink: Summary
  /** The same, both with undici's pool. */
  readonly batchLinkOnPool: Summary
  /** With undici's pool, beside tRPC's stock `httpLink`. */
  readonly httpLink: Summary
  readonly callsPerSecond: Readonly<Record<string, Summary>>
}

export type CompareOptions = {
  readonly world: ClientWorld
  readonly client: Client
  readonly slices: number
  readonly log: (line: string) => void
}

/** Measures Deputy's client beside tRPC's links. Rejects when a call fails. */
export async function compareLinks(options: CompareOptions): Promise<LinkResults> {
  const { client, log, slices, world } = options
  const plan: LinkPlan = {
    agentUrl: world.agentUrl,
    credentials: { issuer: world.issuer, ...client },
    target: { audience: AGENT_ID, scopes: [SCOPE] },
    slices,
  }
  const child = fork(fileURLToPath(new URL('peers/compare-links-main.ts', import.meta.url)), {
    execArgv: ['--disable-warning=ExperimentalWarning', '--conditions=@deputy/source'],
    env: { PATH: process.env['PATH'], BENCH_LINK_PLAN: JSON.stringify(plan) },
  })
  let measured: Readonly<Record<string, readonly number[]>> = {}
  child.on('message', (said) => {
    const message = LinkMessage.parse(said)
    if ('round' in message) log(`round ${String(message.round)} of ${String(slices)}`)
    else measured = message.callsPerSecond
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error('the links could not be compared, see the lines above')
  const of = (name: string): readonly number[] => measured[name] ?? []
  return {
    batchLink: summarizeRatio(of('deputy'), of('trpc-batch-link')),
    batchLinkOnPool: summarizeRatio(of('deputy-pool'), of('trpc-batch-link-pool')),
    httpLink: summarizeRatio(of('deputy-pool'), of('trpc-http-link')),
    callsPerSecond: Object.fromEntries(
      Object.entries(measured).map(([name, values]) => [name, summarize(values)]),
    ),
  }
}
