// Many sockets with subscriptions for minutes, with clients that come and go, calls, and tokens that are renewed on open
// connections. What grows meanwhile, at the agent or at its clients, would grow for ever.
import { writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { findFreePort } from '../process/find-free-port.ts'
import { createRunFolder } from '../process/run-folder.ts'
import { startServerProcess } from '../process/server-process.ts'
import type { Table } from '../report/table.ts'
import { askMemory, measureMemory, type Memory } from '../ws/servers/memory.ts'
import { createSoakIssuer } from './issuer.ts'
import { openSubscriber, type Subscriber, type Tally } from './open-subscriber.ts'
import { toSoakResults, toSoakTables, type SoakResults, type SoakSample } from './soak-results.ts'

export type SoakOptions = {
  readonly minutes: number
  readonly sockets: number
  readonly log: (line: string) => void
}

const TICK_MS = 1000
const TOKEN_TTL_SECONDS = 120
/** Clients that are closed and replaced, and calls that are made, each second, as a share of all. */
const CHURN = 0.01
const CALLS = 0.05
const AGENTS_PER_SOCKET = 2
const SAMPLE_EVERY_MS = 10_000
const OPEN_AT_A_TIME = 50

/** Runs the soak. Its faults: anything that grew, an event that was lost or came twice, a call that failed. */
export async function runSoak(options: SoakOptions): Promise<{
  readonly results: SoakResults
  readonly tables: readonly Table[]
  readonly faults: readonly string[]
}> {
  const { log, minutes, sockets } = options
  await using folder = await createRunFolder()
  const issuer = createSoakIssuer(TOKEN_TTL_SECONDS)
  const jwks = folder.file('jwks.json')
  await writeFile(jwks, issuer.jwks)
  const port = await findFreePort()
  await using _agent = await startServerProcess({
    name: 'agent',
    main: fileURLToPath(new URL('servers/agent-main.ts', import.meta.url)),
    environment: {
      PORT: String(port),
      BENCH_JWKS_FILE: jwks,
      BENCH_TICK_MS: String(TICK_MS),
    },
    logFile: '/dev/null',
    readyUrl: `http://127.0.0.1:${String(port)}/memory`,
  })
  const tally: Tally = {
    events: 0,
    outOfOrder: 0,
    calls: 0,
    failedCalls: 0,
    lost: new Map(),
    errors: [],
  }
  let opened = 0
  const open = async (): Promise<Subscriber> => {
    // Agents come back: what is remembered of each has no reason to grow.
    const name = `agent-${String(opened % (sockets * AGENTS_PER_SOCKET))}`
    opened += 1
    return openSubscriber({ port, issuer, tally, name })
  }
  const clients: Subscriber[] = []
  while (clients.length < sockets) {
    const count = Math.min(OPEN_AT_A_TIME, sockets - clients.length)
    clients.push(...(await Promise.all(Array.from({ length: count }, open))))
  }
  log(`${String(sockets)} sockets are open`)

  async function churn(): Promise<void> {
    await Promise.all(
      Array.from({ length: Math.ceil(sockets * CHURN) }, async () => {
        const at = Math.floor(Math.random() * clients.length)
        const [gone] = clients.splice(at, 1)
        await gone?.close()
        clients.push(await open())
      }),
    )
  }

  async function call(): Promise<void> {
    const some = Array.from(
      { length: Math.ceil(sockets * CALLS) },
      () => clients[Math.floor(Math.random() * clients.length)],
    )
    await Promise.all(some.map(async (client) => client?.call()))
  }

  const samples: SoakSample[] = []
  const beganMs = performance.now()
  const endMs = beganMs + minutes * 60_000
  let sampleAtMs = beganMs
  while (performance.now() < endMs) {
    const turnMs = performance.now()
    if (turnMs >= sampleAtMs) {
      sampleAtMs += SAMPLE_EVERY_MS
      samples.push({ atMs: turnMs - beganMs, ...(await sample(port)) })
      log(describe(samples.at(-1), tally))
    }
    await Promise.all([churn(), call()])
    await delay(Math.max(0, 1000 - (performance.now() - turnMs)))
  }
  const tokens = issuer.issued
  await Promise.all(clients.map(async (client) => client.close()))
  const results = toSoakResults(samples, { ...tally, tokens, clients: opened, sockets, minutes })
  return { results, tables: toSoakTables(results), faults: results.faults }
}

async function sample(port: number): Promise<{ readonly agent: Memory; readonly clients: Memory }> {
  return { agent: await askMemory(port), clients: measureMemory() }
}

function describe(sample: SoakSample | undefined, { events, lost }: Tally): string {
  if (sample === undefined) return ''
  const mib = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1)
  const { agent, atMs, clients } = sample
  return [
    `${(atMs / 1000).toFixed(0)} s`,
    `agent ${mib(agent.rssBytes)} MiB RSS, ${mib(agent.heapBytes)} alive, ${String(agent.handles)} handles`,
    `clients ${mib(clients.heapBytes)} alive`,
    `${String(events)} events`,
    ...[...lost].map(([reason, count]) => `${String(count)} lost: ${reason}`),
  ].join('; ')
}
