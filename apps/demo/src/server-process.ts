// Runs one server as a process of its own, as in production. It logs to a file; it ends with us, even
// when we are killed, because its IPC channel closes.
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { DemoError } from './demo-error.ts'

export type ServerProcessOptions = {
  readonly name: 'auth-server' | 'billing-agent' | 'research-agent'
  readonly url: string
  readonly environment: Readonly<Record<string, string>>
  readonly logFile: string
}

export type ServerProcess = AsyncDisposable & {
  /** Resolves when the process has ended, whoever wanted it. */
  readonly ended: Promise<string>
}

/** How long a server may take until it is ready: the first index of many documents takes longest. */
const READY_WITHIN_MS = 120_000
const POLL_EVERY_MS = 50
const END_WITHIN_MS = 15_000

/** Starts a server and waits until it answers `/readyz`. Rejects with `DemoError` when it does not. */
export async function startServer(options: ServerProcessOptions): Promise<ServerProcess> {
  const { environment, logFile, name, url } = options
  mkdirSync(dirname(logFile), { recursive: true, mode: 0o700 })
  const log = openSync(logFile, 'a', 0o600)
  const main = fileURLToPath(new URL(`../../${name}/src/main.ts`, import.meta.url))
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--conditions=@deputy/source', main],
    {
      env: {
        PATH: process.env['PATH'],
        NODE_ENV: 'production',
        NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
        ...environment,
      },
      stdio: ['ignore', log, log, 'ipc'],
      // Its own process group: Ctrl-C comes to us, and we end it in order.
      detached: true,
    },
  )
  closeSync(log)
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`${name} could not be started: ${error.message}`))
    child.once('exit', (code, signal) =>
      resolve(`${name} ended (${signal ?? `code ${String(code)}`})`),
    )
  })
  const running = { ended, [Symbol.asyncDispose]: async () => stop(child, ended) }
  try {
    const outcome = await Promise.race([ended, waitUntilReady(url, child)])
    if (outcome !== undefined) throw new DemoError(`${outcome}. ${readLastLine(logFile)}`)
    return running
  } catch (error) {
    await stop(child, ended)
    throw error
  }
}

async function waitUntilReady(url: string, child: ChildProcess): Promise<string | undefined> {
  const deadline = performance.now() + READY_WITHIN_MS
  while (performance.now() < deadline && child.exitCode === null) {
    const response = await fetch(`${url}/readyz`).catch(() => undefined)
    await response?.body?.cancel()
    if (response?.ok) return undefined
    await delay(POLL_EVERY_MS)
  }
  return `${url} was not ready within ${String(READY_WITHIN_MS / 1000)} seconds`
}

async function stop(child: ChildProcess, ended: Promise<string>): Promise<void> {
  if (child.connected) child.disconnect()
  const timer = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS)
  await ended
  clearTimeout(timer)
}

function readLastLine(logFile: string): string {
  const last = readFileSync(logFile, 'utf8').trim().split('\n').at(-1) ?? ''
  return last === '' ? '' : `It said: ${last}`
}
