// Everything that the servers of a world logged, and what must not be in it.
import { AGENT_SECRET_PATTERN } from '@deputy/auth/protocol'
import { createLogger, type Logger } from '@deputy/serve'
import * as z from 'zod'

/** One line of a server's log. */
export type LogLine = {
  /** Who logged: an agent's id, or `auth-server`. */
  readonly name: string
  /** pino's: 30 information, 40 warning, 50 error. */
  readonly level: number
  readonly msg: string
  readonly text: string
}

export type LogBook = {
  createLogger(name: string): Logger
  readonly lines: readonly LogLine[]
  /** Errors that match are expected from now on. */
  expect(pattern: RegExp): void
  /** Remembers what must not be logged by anybody. */
  keepSecret(secret: string): void
  /** What is wrong with the log, a sentence for each. Never the secret itself. */
  findFaults(): string[]
}

const Line = z.object({ name: z.string(), level: z.number(), msg: z.string().default('') })

const ERROR_LEVEL = 50

/** A token in the form of RFC 7515 §3.1. */
const JWT_PATTERN = /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}/

/** Opens an empty book. */
export function createLogBook(): LogBook {
  const lines: LogLine[] = []
  const expected: RegExp[] = []
  const secrets: string[] = []

  function write(text: string): void {
    lines.push({ ...Line.parse(JSON.parse(text)), text })
  }

  function holdsSecret({ text }: LogLine): boolean {
    const isPattern = JWT_PATTERN.test(text) || text.search(AGENT_SECRET_PATTERN) !== -1
    return isPattern || secrets.some((secret) => text.includes(secret))
  }

  return {
    createLogger: (name) => createLogger({ name, level: 'debug', write }),
    lines,
    expect: (pattern) => void expected.push(pattern),
    keepSecret: (secret) => void secrets.push(secret),
    findFaults: () => [
      ...lines
        .filter(
          ({ level, text }) => level >= ERROR_LEVEL && !expected.some((one) => one.test(text)),
        )
        .filter((line) => !holdsSecret(line))
        .map(({ name, text }) => `${name} logged an error: ${text.trim()}`),
      ...lines
        .filter(holdsSecret)
        .map(
          ({ msg, name }) =>
            `${name} logged a token or a secret, in a line that begins "${msg.slice(0, 40).replaceAll(/[\w-]{24,}/g, '…')}"`,
        ),
    ],
  }
}
