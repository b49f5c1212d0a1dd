import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Holder } from '../owners/owner.ts'
import type { Hold } from '@deputy/contracts/billing'

/** A hold with what the contract does not show. */
export type HoldRecord = Hold & {
  readonly ownerId: string
  readonly account: string
  readonly service: string
  readonly createdAt: EpochSeconds
  /** When it was captured or released. */
  readonly endedAt: EpochSeconds | undefined
  /** Whether it was given back because its time was over. */
  readonly isExpired: boolean
}

/** The holds below a grant, in one currency. */
export type HoldsBelow = {
  readonly grantId: string
  readonly currency: string
  /** Left out: of every organisation. */
  readonly ownerId?: string | undefined
}

export type OpenHoldsQuery = {
  readonly grantId: string
  /** Left out: all. */
  readonly currency?: string | undefined
  /** Left out: of every organisation. */
  readonly ownerId?: string | undefined
  /** Left out: of every account. */
  readonly account?: string | undefined
  readonly limit: number
}

export type HoldSums = { readonly heldMinor: number; readonly capturedMinor: number }

export type HeldSum = { readonly currency: string; readonly heldMinor: number }

/** Where holds are kept. Only for use inside a transaction. */
export type HoldStore = {
  /**
   * Answers `false`, changing nothing, when the quote was used before.
   *
   * @param grantPath what the caller's token stands on: the hold can be found below each of it
   */
  insert(hold: HoldRecord, grantPath: readonly string[]): Promise<boolean>
  /** `undefined` for a hold of another account, as for one that does not exist. */
  find(holder: Holder, holdId: string): Promise<HoldRecord | undefined>
  /** Whoever's it is in the organisation. */
  findOwned(ownerId: string, holdId: string): Promise<HoldRecord | undefined>
  /** Those still held whose time is over, the oldest first. */
  listExpired(now: EpochSeconds, limit: number): Promise<readonly HoldRecord[]>
  /** Ends an open hold: captured with an amount, released with 0. */
  end(
    holdId: string,
    end: {
      readonly capturedMinor: number
      readonly endedAt: EpochSeconds
      readonly isExpired?: boolean | undefined
    },
  ): Promise<void>
  /** Those still held below a grant, oldest first. */
  listOpen(grant: OpenHoldsQuery): Promise<readonly HoldRecord[]>
  /** What is held below a grant, without what expired, and what was captured, in one currency. */
  sumBelow(grant: HoldsBelow, now: EpochSeconds): Promise<HoldSums>
  /** What is held below any of these grants, without what expired, one entry a currency. */
  sumHeld(grantIds: readonly string[], now: EpochSeconds): Promise<readonly HeldSum[]>
  /** Captured, and on no statement yet; oldest first. */
  listUnbilled(holder: Holder, currency: string): Promise<readonly HoldRecord[]>
}
