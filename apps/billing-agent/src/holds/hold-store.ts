import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Hold } from '@deputy/contracts/billing'

/** A hold with what the contract does not show. */
export type HoldRecord = Hold & {
  readonly account: string
  readonly service: string
  readonly createdAt: EpochSeconds
  /** When it was captured or released. */
  readonly endedAt: EpochSeconds | undefined
}

/** Where holds are kept. Only for use inside a transaction. */
export type HoldStore = {
  /** Answers `false`, changing nothing, when the quote was used before. */
  insert(hold: HoldRecord): Promise<boolean>
  /** `undefined` for a hold of another account, as for one that does not exist. */
  find(account: string, holdId: string): Promise<HoldRecord | undefined>
  /** Ends an open hold: captured with an amount, released with 0. */
  end(
    holdId: string,
    end: { readonly capturedMinor: number; readonly endedAt: EpochSeconds },
  ): Promise<void>
  /** Captured, and on no statement yet; oldest first. */
  listUnbilled(account: string, currency: string): Promise<readonly HoldRecord[]>
}
