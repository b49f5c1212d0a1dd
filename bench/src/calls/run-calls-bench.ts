// Calls: one query with a small input, by an authenticated caller, beside peers that ask for nothing.
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { startLoadGenerator } from '../load/load-generator.ts'
import { findFreePort } from '../process/find-free-port.ts'
import { createRunFolder, type RunFolder } from '../process/run-folder.ts'
import { startServerProcess } from '../process/server-process.ts'
import type { Table } from '../report/table.ts'
import { runSlices, type Target } from '../slices/run-slices.ts'
import { toCallsResults, toCallsTables, type CallsResults } from './calls-results.ts'
import { CONTESTANTS, type Contestant } from './contestants.ts'
import { createKeys } from './create-keys.ts'
import { issueTokens } from './issue-tokens.ts'
import { API_KEY, AUTHORIZATION, BATCH_SIZE, TEXT, toGrpcPlan, toPlan } from './scenario.ts'

export type CallsBenchOptions = {
  readonly slices: number
  readonly connections: number
  /** How many agents call. */
  readonly agents: number
  readonly log: (line: string) => void
}

const TIMES = { warmUpMs: 3000, rampMs: 150, measureMs: 500, restMs: 50 }

/** Runs all servers in turn. Rejects when one does not answer what it was asked. */
export async function runCallsBench(
  options: CallsBenchOptions,
): Promise<{ readonly results: CallsResults; readonly tables: readonly Table[] }> {
  const { agents, connections, log, slices } = options
  await using folder = await createRunFolder()
  const files = { tokens: folder.file('tokens'), jwks: folder.file('jwks.json') }
  await issueTokens(agents, files)
  const keysFile = folder.file('keys')
  await createKeys(agents, keysFile)
  await using running = new AsyncDisposableStack()
  const targets: Target[] = []
  for (const contestant of CONTESTANTS) {
    log(`starting ${contestant.name}`)
    const port = await findFreePort()
    running.use(await start(contestant, { port, folder, jwks: files.jwks }))
    for (const { credential, form, name } of contestant.requests) {
      const [linesFile, header] =
        credential === 'apiKey' ? [keysFile, API_KEY] : [files.tokens, AUTHORIZATION]
      const request = 'grpcPath' in form ? toGrpcPlan(form.grpcPath) : toPlan(port, form, header)
      const plan = { port, linesFile, ...request }
      targets.push({ name, plan, checkSample: checkSample(name) })
    }
  }
  const generator = running.use(startLoadGenerator())
  const measured = await runSlices({ generator, targets, slices, connections, log, times: TIMES })
  const results = toCallsResults(measured)
  return { results, tables: toCallsTables(results) }
}

type StartOptions = { readonly port: number; readonly folder: RunFolder; readonly jwks: string }

async function start(
  { environment, main, name }: Contestant,
  { folder, jwks, port }: StartOptions,
): Promise<AsyncDisposable> {
  return startServerProcess({
    name,
    main,
    environment: { PORT: String(port), BENCH_JWKS_FILE: jwks, ...environment },
    logFile: folder.file(`${name}.log`),
    isReady: async () => isListening(port),
  })
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    return await new Promise((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
  } finally {
    socket.destroy()
    await delay(0)
  }
}

/** The answer must say what was said, as often as it was. */
function checkSample(name: string): (body: string) => void {
  const times = name.endsWith('batch10') ? BATCH_SIZE : 1
  const said = name === 'grpc-js' ? TEXT : JSON.stringify(TEXT)
  return (body) => {
    const found = body.split(said).length - 1
    if (found < times) throw new TypeError(`${name} answered something else: ${body.slice(0, 300)}`)
  }
}
