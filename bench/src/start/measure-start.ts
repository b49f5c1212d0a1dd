// From the start of a process to its first answer: what a caller waits for after a deployment or a crash.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { createAnswerReader, type Answer } from '../load/answer-reader.ts'

export type StartOptions = {
  readonly name: string
  /** The file that Node runs. */
  readonly main: string
  /** What Node is told before it. Default: nothing. */
  readonly nodeOptions?: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly port: number
  /** One whole request. */
  readonly request: string
}

const POLL_EVERY_MS = 1
const WITHIN_MS = 30_000

/** Answers how many milliseconds it took. Rejects where the first answer is not of status 200 or is not `expected`. */
export async function measureStart(options: StartOptions, expected: string): Promise<number> {
  const { environment, main, name, nodeOptions = [], port, request } = options
  const startedMs = performance.now()
  const child = spawn(process.execPath, [...nodeOptions, main], {
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', PORT: String(port), ...environment },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const ended = once(child, 'exit')
  try {
    while (performance.now() - startedMs < WITHIN_MS) {
      if (child.exitCode !== null) throw new Error(`${name} ended before it answered`)
      const answer = await ask(port, request)
      if (answer === undefined) {
        await delay(POLL_EVERY_MS)
        continue
      }
      const tookMs = performance.now() - startedMs
      if (answer.status === 200 && answer.readBody().includes(expected)) return tookMs
      throw new Error(`${name} answered something else first: ${String(answer.status)}`)
    }
    throw new Error(`${name} did not answer in time`)
  } finally {
    if (child.connected) child.disconnect()
    await ended
  }
}

/** `undefined` while nobody listens. */
async function ask(port: number, request: string): Promise<Answer | undefined> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const reader = createAnswerReader()
  try {
    return await new Promise<Answer | undefined>((resolve, reject) => {
      socket.once('connect', () => socket.write(request, 'latin1'))
      socket.on('error', () => resolve(undefined))
      socket.on('data', (chunk) => {
        try {
          const answer = reader.read(chunk)
          if (answer !== undefined) resolve(answer)
        } catch (error) {
          reject(error instanceof Error ? error : new Error('the answer cannot be read'))
        }
      })
    })
  } finally {
    socket.destroy()
  }
}
