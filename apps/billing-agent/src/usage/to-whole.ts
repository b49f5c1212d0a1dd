import { refuseCall } from '../refusals.ts'
import { toIsoTime } from '../periods/period.ts'
import type { UsageMonth } from './usage-store.ts'

/** What a month comes to, as a number. Throws `usage_out_of_range` for one that would be rounded. */
export function toWhole(exact: bigint, { meter, periodStart }: UsageMonth): number {
  const number = Number(exact)
  if (Number.isSafeInteger(number)) return number
  const message = `${meter} comes to ${String(exact)} in the month from ${toIsoTime(periodStart)} on, which is more than can be billed`
  throw refuseCall('usage_out_of_range', message)
}
