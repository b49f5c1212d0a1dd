import { destination, pino, type Logger } from 'pino'

export type { Logger } from 'pino'

export type LoggerOptions = {
  /** Who logs: an agent's id. */
  readonly name: string
  /** `trace`, `debug`, `info` (default), `warn`, `error`, `fatal` or `silent`. */
  readonly level?: string | undefined
  /** Takes each line. Default: standard error, so that standard output stays free. */
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
  const { write } = options
  const paths = SECRET_MEMBERS.flatMap((name) => [`["${name}"]`, `*["${name}"]`])
  return pino(
    { name: options.name, level: options.level ?? 'info', redact: { paths, censor: '[redacted]' } },
    write === undefined ? destination({ dest: 2, sync: true }) : { write },
  )
}
