// The server as its operator runs it: `main.ts` in a process of its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Place } from './auth-server.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

export type MainProcess = AsyncDisposable & {
  readonly issuer: string
  /** All that it wrote so far, to both streams. */
  output(): string
  /** Resolves when it answers that it is ready; rejects when it ends before. */
  whenReady(): Promise<void>
  /** Resolves when a line with this message is in the log; rejects when it ends before. */
  whenLogged(message: string): Promise<void>
  kill(signal: 'SIGTERM' | 'SIGINT'): void
  readonly ended: Promise<Ended>
}

export type Ended = {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts `main.ts` in a place. The environment holds nothing but what is named here, and where compiled code is kept. */
export function startMain(
  place: Place,
  environment: Readonly<Record<string, string>> = {},
): MainProcess {
  const child = spawn(process.execPath, ['--conditions=@deputy/source', MAIN], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      PORT: String(place.port),
      DEPUTY_DATABASE_FILE: place.databaseFile,
      DEPUTY_OPERATOR_FILE: place.operatorFile,
      ...environment,
    },
  })
  let stdout = ''
  let stderr = ''
  let watchers: (() => void)[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    for (const watch of watchers) watch()
  })
  const issuer = `http://127.0.0.1:${String(place.port)}`
  const ended = once(child, 'close').then(() => ({ exitCode: child.exitCode, stdout, stderr }))

  async function whenLogged(message: string): Promise<void> {
    const { promise: logged, resolve } = Promise.withResolvers<undefined>()
    const watch = (): void => {
      if (stderr.includes(`"msg":"${message}"`)) resolve(undefined)
    }
    watchers = [...watchers, watch]
    watch()
    const end = await Promise.race([logged, ended])
    if (end !== undefined) throw new Error(`it ended without "${message}": ${end.stderr}`)
  }

  return {
    issuer,
    ended,
    output: () => stdout + stderr,
    kill: (signal) => child.kill(signal),
    whenLogged,
    async whenReady() {
      await whenLogged('listening')
      // Bootstrap goes on for a moment after the server listens.
      while ((await fetch(`${issuer}/readyz`)).status !== 200);
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
