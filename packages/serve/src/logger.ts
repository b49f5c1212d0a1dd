import { destination, pino, type Logger } from 'pino'
import { createLogLines } from './log-lines.ts'

export type { Logger } from 'pino'

export type LoggerOptions = {
  /** Who logs: an agent's id. */
  readonly name: string
  /** `trace`, `debug`, `info` (default), `warn`, `error`, `fatal` or `silent`. */
  readonly level?: string | undefined
  /**
   * Takes each line. Default: standard error, so that standard output stays free; the lines of one turn of
   * the event loop are written at its end.
   */
  readonly write?: ((line: string) => void) | undefined
}

/** Members that never reach a log, wherever one level down they stand. */
const SECRET_MEMBERS = [
  'authorization',
  'x-api-key',
  'headers',
  'token',
  'access_token',
  'client_secret',
  'clientSecret',
  'key',
  'secret',
]

/** Creates a logger that writes JSON lines. */
export function createLogger(options: LoggerOptions): Logger {
  const { level = 'info', name, write } = options
  const paths = SECRET_MEMBERS.flatMap((member) => [`["${member}"]`, `*["${member}"]`])
  /** Loggers without redaction, each beside the one that it writes like. */
  const bare = new WeakMap<Logger, Logger>()

  function withoutRedaction(logger: Logger): Logger {
    const known = bare.get(logger) ?? logger.child({}, { redact: [] })
    bare.set(logger, known)
    return known
  }

  return pino(
    {
      name,
      level,
      redact: { paths, censor: '[redacted]' },
      hooks: {
        // To search each value of a line for each name takes pino longer than all the rest of the line.
        logMethod(args, method) {
          method.apply(hasNoSecret(args[0]) ? withoutRedaction(this) : this, args)
        },
      },
    },
    write === undefined ? openStandardError() : { write },
  )
}

function openStandardError(): { write(line: string): void } {
  const out = destination({ dest: 2, sync: true })
  return createLogLines((text) => out.write(text))
}

/** Whether nothing in it can be secret: no member is named so, and none has members. */
function hasNoSecret(members: unknown): boolean {
  if (typeof members !== 'object' || members === null || members instanceof Error) return false
  for (const [name, value] of Object.entries(members)) {
    if (typeof value === 'object' || typeof value === 'function') return false
    if (SECRET_MEMBERS.includes(name)) return false
  }
  return true
}
