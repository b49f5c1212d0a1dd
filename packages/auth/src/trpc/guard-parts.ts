// An answer in parts (`httpBatchStreamLink`, JSONL): promises and streams in a result are sent as they come. Each
// part ends with the caller's authority, as a call does. Where tRPC looks for parts: the result, and one level below.
import { isStream, type CallGuard } from './until-end.ts'

/** The result with its parts guarded. Anything else stays what it is. */
export function guardParts(data: unknown, guard: CallGuard): unknown {
  if (isPart(data)) return guardPart(data, guard)
  if (typeof data !== 'object' || data === null) return data
  const entries = Object.entries(data)
  if (!entries.some(([, value]) => isPart(value))) return data
  const guarded = entries.map(([key, value]: [string, unknown]) => [
    key,
    isPart(value) ? guardPart(value, guard) : value,
  ])
  return Array.isArray(data) ? guarded.map(([, value]) => value) : Object.fromEntries(guarded)
}

type Part = Promise<unknown> | AsyncIterable<unknown>

function isPart(value: unknown): value is Part {
  return isStream(value) || value instanceof Promise
}

function guardPart(part: Part, guard: CallGuard): Part {
  if (isStream(part)) return guard.guard(part)
  guard.hold()
  const guarded = guard.race(part).then((value) => guardParts(value, guard))
  // tRPC waits for it when its turn has come.
  guarded.catch(() => undefined).finally(() => guard.release())
  return guarded
}
