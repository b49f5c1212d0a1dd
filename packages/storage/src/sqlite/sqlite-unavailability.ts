import { DatabaseUnavailableError, type Unavailability } from '../database-errors.ts'

/** Result codes (https://sqlite.org/rescode.html); an extended code has the primary one in its low byte. */
const REASONS: Readonly<Record<number, Unavailability>> = {
  5: 'busy',
  6: 'busy',
  8: 'read_only',
  10: 'io',
  13: 'full',
  14: 'unreachable',
}

/** Tells an outage by `DatabaseUnavailableError` from everything else, which stays as it is. */
export function toSqliteError(error: unknown): unknown {
  const reason = toReason(error)
  return reason === undefined ? error : new DatabaseUnavailableError(reason, error)
}

/** Says whether another connection or process holds the lock, so that trying again may help. */
export function isBusy(error: unknown): boolean {
  return toReason(error) === 'busy'
}

/** Says whether the file is damaged, or not a database at all. */
export function isDamaged(error: unknown): boolean {
  const code = toCode(error)
  return code === 11 || code === 26
}

/** Says which outage it is, if it is one. */
export function toReason(error: unknown): Unavailability | undefined {
  const code = toCode(error)
  return code === undefined ? undefined : REASONS[code]
}

function toCode(error: unknown): number | undefined {
  if (!(error instanceof Error && 'errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}
