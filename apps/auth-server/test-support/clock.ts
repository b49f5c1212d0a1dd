import type { EpochSeconds } from '@deputy/auth/protocol'

/** When the settable clocks of tests begin. */
export const START_AT: EpochSeconds = 1_800_000_000
