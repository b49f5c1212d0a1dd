// The agent as its operator runs it: `main.ts` in a process of its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** Starts `main.ts`. The environment holds nothing but what is named here. */
export function startMain(environment: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, ['--conditions=@deputy/source', MAIN], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment,
  })
  let stdout = ''
  let stderr = ''
  const { promise: indexed, resolve: hasIndexed } = Promise.withResolvers<undefined>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    const isServing = stderr.includes('"msg":"listening"')
    if (isServing && stderr.includes('"msg":"documents are indexed"')) hasIndexed(undefined)
  })
  const ended = once(child, 'close').then(() => ({ exitCode: child.exitCode, stdout, stderr }))
  return {
    ended,
    kill: (signal: 'SIGTERM' | 'SIGINT') => child.kill(signal),
    /** Resolves when it serves and its documents are indexed; rejects when it ends before. */
    async whenReady() {
      const end = await Promise.race([indexed, ended])
      if (end !== undefined) throw new Error(`it ended before it was ready: ${end.stderr}`)
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
