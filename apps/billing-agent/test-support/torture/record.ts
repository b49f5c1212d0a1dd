// What the server acknowledged: what has to be in the book afterwards, once, and all that may be.

/** A hold and how it ended, as its agents were told. */
export type KnownHold = {
  readonly holdId: string
  readonly account: string
  readonly amountMinor: number
  /** How often it was told to have been captured, by different calls. */
  captures: number
  capturedMinor: number
  releases: number
  refundedMinor: number
}

export type TortureRecord = {
  readonly holds: Map<string, KnownHold>
  /** By organisation and account. */
  readonly deposits: Map<string, { count: number; totalMinor: number }>
  readonly refundIds: string[]
  readonly statementIds: string[]
  /** Events of usage by source and id, with what is right of each. */
  readonly usage: Map<string, number>
  corrections: number
  /** Why calls were turned down, and how often. */
  readonly refusals: Map<string, number>
  acknowledged: number
  retried: number
  /** Answers that no call should get. */
  readonly faults: string[]
}

/** Creates an empty one. */
export function createTortureRecord(): TortureRecord {
  return {
    holds: new Map(),
    deposits: new Map(),
    refundIds: [],
    statementIds: [],
    usage: new Map(),
    corrections: 0,
    refusals: new Map(),
    acknowledged: 0,
    retried: 0,
    faults: [],
  }
}
