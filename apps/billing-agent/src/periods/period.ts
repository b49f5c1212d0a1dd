// Calendar periods in UTC, by a moment that is given.
import type { EpochSeconds } from '@deputy/auth/protocol'
import type { QuotaPeriod } from '@deputy/contracts/billing'

/** From `startsAt` until before `endsAt`; `total` has no end. */
export type Period = { readonly startsAt: EpochSeconds; readonly endsAt: EpochSeconds | undefined }

/** The period that a moment is in. */
export function periodOf(period: QuotaPeriod, at: EpochSeconds): Period {
  // oxlint-disable-next-line eslint/no-restricted-globals -- a moment that is given, not the present
  const date = new Date(at * 1000)
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
  switch (period) {
    case 'day':
      return { startsAt: toSeconds(year, month, day), endsAt: toSeconds(year, month, day + 1) }
    case 'month':
      return { startsAt: toSeconds(year, month), endsAt: toSeconds(year, month + 1) }
    case 'year':
      return { startsAt: toSeconds(year, 0), endsAt: toSeconds(year + 1, 0) }
    case 'total':
      return { startsAt: 0, endsAt: undefined }
  }
}

/** The calendar month that a moment is in. */
export function monthOf(at: EpochSeconds): { startsAt: EpochSeconds; endsAt: EpochSeconds } {
  const { endsAt = at, startsAt } = periodOf('month', at)
  return { startsAt, endsAt }
}

// oxlint-disable-next-line eslint/no-restricted-globals -- a moment that is given, not the present
const toSeconds = (year: number, month: number, day = 1): number =>
  Date.UTC(year, month, day) / 1000

/** A moment as people write it, in UTC to the second. */
export const toIsoTime = (at: EpochSeconds): string =>
  // oxlint-disable-next-line eslint/no-restricted-globals -- a moment that is given, not the present
  new Date(at * 1000).toISOString().replace('.000', '')
