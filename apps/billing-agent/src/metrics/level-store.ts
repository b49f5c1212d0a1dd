/** How full something is: below 80 percent, from there, or with nothing left. */
export const LEVELS = ['below_80', 'from_80', 'reached'] as const
export type Level = (typeof LEVELS)[number]

/** How many are at each level. */
export type Levels = Readonly<Record<Level, number>>

/** What is open in the ledger now, in numbers. */
export type LedgerLevels = {
  /** By currency. */
  readonly openHolds: readonly {
    readonly currency: string
    readonly holds: number
    readonly heldMinor: number
  }[]
  /** Of grants that anything is held below. */
  readonly budgets: Levels
  /** That are set, in the periods that it is now. */
  readonly quotas: Levels
}

/** Where it is read. */
export type LevelStore = { read(now: number): Promise<LedgerLevels> }
