// The agent as its operator runs it: `main.ts` in a process of its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

export type MainEnvironment = Readonly<Record<string, string>> & { readonly PORT: string }

/** Starts `main.ts`. The environment holds nothing but what is named here. */
export function startMain(environment: MainEnvironment) {
  const child = spawn(process.execPath, ['--conditions=@deputy/source', MAIN], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment,
  })
  let stdout = ''
  let stderr = ''
  const { promise: listening, resolve: hasListened } = Promise.withResolvers<undefined>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    if (stderr.includes('"msg":"listening"')) hasListened(undefined)
  })
  const ended = once(child, 'close').then(() => ({ exitCode: child.exitCode, stdout, stderr }))
  return {
    ended,
    kill: (signal: 'SIGTERM' | 'SIGINT') => child.kill(signal),
    /** Resolves when it answers; rejects when it ends before. */
    async whenReady() {
      const end = await Promise.race([listening, ended])
      if (end !== undefined) throw new Error(`it ended before it listened: ${end.stderr}`)
      // By the time it answers it has heard of signals too: it asks for them right after it listens.
      await fetch(`http://127.0.0.1:${environment.PORT}/livez`)
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
