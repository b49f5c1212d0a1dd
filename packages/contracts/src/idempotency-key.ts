import * as z from 'zod'

/**
 * Names one intended act, chosen by the caller: 8 to 128 printable ASCII characters. The same key with
 * the same body gets the first answer again; with another body it is refused (`idempotency_conflict`).
 */
export const IdempotencyKey = z
  .string()
  .min(8)
  .max(128)
  .regex(/^[\x21-\x7E]+$/, 'must be printable ASCII without spaces')
