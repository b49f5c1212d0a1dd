// Runs one server as a process of its own. What it says goes into a file, of which the last lines are
// shown when it does not come up; it ends with us, since its IPC channel closes.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

export type ServerProcessOptions = {
  readonly name: string
  /** The file that Node runs. */
  readonly main: string
  readonly environment: Readonly<Record<string, string>>
  readonly logFile: string
} & (
  | {
      /** Answers 200 once the server can be called. */
      readonly readyUrl: string
    }
  | { readonly isReady: () => Promise<boolean> }
)

/** A large store is opened and checked before the server is ready. */
const READY_WITHIN_MS = 120_000
const POLL_EVERY_MS = 50
const END_WITHIN_MS = 30_000

/** Starts the server and waits until it is ready. Rejects when it ends or is not ready in time. */
export async function startServerProcess(options: ServerProcessOptions): Promise<AsyncDisposable> {
  const { environment, logFile, main, name } = options
  const isReady = 'isReady' in options ? options.isReady : async () => answersOk(options.readyUrl)
  const log = openSync(logFile, 'a', 0o600)
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--conditions=@deputy/source', main],
    {
      env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...environment },
      stdio: ['ignore', log, log, 'ipc'],
    },
  )
  closeSync(log)
  const ended = once(child, 'exit')
  const stop = async (): Promise<void> => {
    if (child.connected) child.disconnect()
    const timer = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS)
    await ended
    clearTimeout(timer)
  }
  try {
    await waitUntilReady(isReady, child)
    return { [Symbol.asyncDispose]: stop }
  } catch (cause) {
    await stop()
    const said = readFileSync(logFile, 'utf8').trim().split('\n').slice(-20).join('\n')
    throw new Error(`${name} did not come up: ${said}`, { cause })
  }
}

async function answersOk(url: string): Promise<boolean> {
  const answer = await fetch(url).catch(() => undefined)
  await answer?.body?.cancel()
  return answer?.ok === true
}

async function waitUntilReady(isReady: () => Promise<boolean>, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS
  while (performance.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('it ended')
    if (await isReady()) return
    await delay(POLL_EVERY_MS)
  }
  throw new Error('it was not ready in time')
}
