// WebSockets: calls and subscriptions of authenticated callers beside tRPC's own server, which asks for nothing; and
// what an idle connection takes up.
import { fileURLToPath } from 'node:url'
import { issueTokens } from '../calls/issue-tokens.ts'
import { TEXT } from '../calls/scenario.ts'
import { startLoadGenerator } from '../load/load-generator.ts'
import { findFreePort } from '../process/find-free-port.ts'
import { createRunFolder, type RunFolder } from '../process/run-folder.ts'
import { startServerProcess } from '../process/server-process.ts'
import type { Table } from '../report/table.ts'
import { runSlices, type Target } from '../slices/run-slices.ts'
import { measureConnections, type ConnectionCost } from './measure-connections.ts'
import { toWebSocketResults, toWebSocketTables, type WebSocketResults } from './ws-results.ts'

export type WebSocketBenchOptions = {
  readonly slices: number
  readonly connections: number
  /** Connections over which it is found out what each takes up, beside as many that are open before. */
  readonly idle: number
  readonly log: (line: string) => void
}

const TIMES = { warmUpMs: 3000, rampMs: 250, measureMs: 500, restMs: 50 }
const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const SERVERS = {
  deputy: file('servers/deputy-main.ts'),
  trpc: file('peers/trpc-ws-main.ts'),
} as const

/** Runs both servers in turn. Rejects when one does not answer what it was asked. */
export async function runWebSocketBench(
  options: WebSocketBenchOptions,
): Promise<{ readonly results: WebSocketResults; readonly tables: readonly Table[] }> {
  const { connections, idle, log, slices } = options
  await using folder = await createRunFolder()
  const files = { tokens: folder.file('tokens'), jwks: folder.file('jwks.json') }
  await issueTokens(2 * idle, files)
  const cost: Record<string, ConnectionCost> = {}
  for (const name of ['deputy', 'trpc'] as const) {
    log(`opening ${String(2 * idle)} connections to ${name}`)
    await using server = await start(name, folder, files.jwks)
    const settings = { connections: idle, tokensFile: files.tokens }
    cost[name] = await measureConnections(server.port, settings)
  }
  await using running = new AsyncDisposableStack()
  const targets: Target[] = []
  for (const name of ['deputy', 'trpc'] as const) {
    const { port } = running.use(await start(name, folder, files.jwks))
    for (const kind of ['call', 'calls', 'stream']) {
      const plan = { port, head: kind, tail: '', linesFile: files.tokens }
      targets.push({ name: `${name}-${kind}`, plan, checkSample })
    }
  }
  const generator = running.use(startLoadGenerator(file('generator-main.ts')))
  const measured = await runSlices({ generator, targets, slices, connections, log, times: TIMES })
  const results = toWebSocketResults(measured, cost)
  return { results, tables: toWebSocketTables(results) }
}

async function start(
  name: keyof typeof SERVERS,
  folder: RunFolder,
  jwks: string,
): Promise<AsyncDisposable & { readonly port: number }> {
  const port = await findFreePort()
  const server = await startServerProcess({
    name,
    main: SERVERS[name],
    environment: { PORT: String(port), BENCH_JWKS_FILE: jwks },
    logFile: folder.file(`${name}.log`),
    readyUrl: `http://127.0.0.1:${String(port)}/memory`,
  })
  return { port, [Symbol.asyncDispose]: async () => server[Symbol.asyncDispose]() }
}

function checkSample(body: string): void {
  if (!body.includes(JSON.stringify(TEXT))) {
    throw new TypeError(`something else was answered: ${body.slice(0, 300)}`)
  }
}
