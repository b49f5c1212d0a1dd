import { DatabaseUnavailableError, type Unavailability } from '../database-errors.ts'

/** SQLSTATEs, or their class (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const REASONS: Readonly<Record<string, Unavailability>> = {
  '08': 'unreachable',
  // It knows us no longer, or not yet: a database that is being set up or taken away.
  '28': 'unreachable',
  '3D000': 'unreachable',
  '57P': 'unreachable',
  // It takes no connections, as it was told to.
  '55000': 'unreachable',
  '57014': 'timeout',
  '25P03': 'timeout',
  '55P03': 'busy',
  '53': 'busy',
  '40001': 'busy',
  '40P01': 'busy',
  '53100': 'full',
  '25006': 'read_only',
  '58': 'io',
}

/** What Node says of a connection that cannot be made, or broke. */
const UNREACHABLE = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EPIPE',
])

/** What `pg` says of them, which gives these no code. */
const TEXTS: readonly (readonly [RegExp, Unavailability])[] = [
  [/timeout exceeded when trying to connect|connection timeout|^Query read timeout/, 'timeout'],
  [/^Connection terminated|is not queryable$/, 'unreachable'],
]

/** Tells an outage by `DatabaseUnavailableError` from everything else, which stays as it is. */
export function toPostgresError(error: unknown): unknown {
  const reason = toReason(error)
  return reason === undefined ? error : new DatabaseUnavailableError(reason, error)
}

/** Says whether the database ended the transaction because two waited for each other. */
export function isDeadlock(error: unknown): boolean {
  if (!(error instanceof DatabaseUnavailableError)) return false
  return toCode(error.cause) === '40P01'
}

function toReason(error: unknown): Unavailability | undefined {
  const code = toCode(error)
  if (code !== undefined) {
    if (code === 'ETIMEDOUT') return 'timeout'
    if (UNREACHABLE.has(code)) return 'unreachable'
    return REASONS[code] ?? REASONS[code.slice(0, 3)] ?? REASONS[code.slice(0, 2)]
  }
  const text = error instanceof Error ? error.message : ''
  return TEXTS.find(([pattern]) => pattern.test(text))?.[1]
}

function toCode(error: unknown): string | undefined {
  if (!(error instanceof Error && 'code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
