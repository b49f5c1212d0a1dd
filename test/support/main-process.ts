// An app as its operator runs it: its `main.ts` in a process of its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Starts it. The environment holds nothing but what is named here, and where compiled code is kept. */
export function startMainProcess(main: URL, environment: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, ['--conditions=@deputy/source', fileURLToPath(main)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ...environment },
  })
  let stdout = ''
  let stderr = ''
  let watchers: (() => void)[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    for (const watch of watchers) watch()
  })
  const ended = once(child, 'close').then(() => ({ exitCode: child.exitCode, stdout, stderr }))
  return {
    ended,
    kill: (signal: 'SIGTERM' | 'SIGINT' | 'SIGSTOP' | 'SIGCONT') => child.kill(signal),
    /** Resolves when lines with all these messages are in the log; rejects when it ends before. */
    async whenLogged(...messages: readonly string[]): Promise<void> {
      const { promise: logged, resolve } = Promise.withResolvers<undefined>()
      const watch = (): void => {
        if (messages.every((message) => stderr.includes(`"msg":"${message}"`))) resolve(undefined)
      }
      watchers = [...watchers, watch]
      watch()
      const end = await Promise.race([logged, ended])
      if (end !== undefined) throw new Error(`it ended before it was ready: ${end.stderr}`)
    },
    /** Kills it (SIGKILL), also while it is stopped. */
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
