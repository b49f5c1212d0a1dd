// What values of PostgreSQL become, so that a store reads the same from both databases.
import { TypeOverrides, types } from 'pg'

/** For `pg`: bigint becomes a number, bytea a `Uint8Array`, everything else what `pg` makes of it. */
export function createPostgresTypes(): TypeOverrides {
  const overrides = new TypeOverrides()
  overrides.setTypeParser(types.builtins.INT8, parseInt8)
  overrides.setTypeParser(types.builtins.BYTEA, parseBytea)
  return overrides
}

/** A number that a `number` cannot hold is a bug and says so, as `node:sqlite` does. */
function parseInt8(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value)) return value
  throw new RangeError('the database holds an integer beyond 2^53: read it as text')
}

function parseBytea(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.slice(String.raw`\x`.length), 'hex'))
}
