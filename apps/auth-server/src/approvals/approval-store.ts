import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Tenancy } from '../owners/tenancy.ts'
import type { Approval } from './approval.ts'

/** An approval, seen by somebody. */
export type ApprovalAt = { readonly id: string; readonly within: Tenancy }

export type ListApprovals = {
  readonly within: Tenancy
  readonly limit: number
  readonly now: EpochSeconds
  /** Only those that can still be decided. Default: all that are kept. */
  readonly isPending?: boolean | undefined
  readonly agentId?: string | undefined
  /** Only those that come after this id. */
  readonly afterId?: string | undefined
}

export type Decision = {
  readonly state: 'approved' | 'denied'
  readonly decidedAt: EpochSeconds
  readonly decidedBy: string
  /** Until then a token can be had, or is refused. */
  readonly expiresAt: EpochSeconds
  readonly note: string | undefined
}

/** Calls that wait for approval, and what was decided. What a method answers is on disk. */
export type ApprovalStore = {
  /**
   * Keeps a request, or answers the pending one for the same call: of those that come at the same moment
   * one is kept. In a transaction, further requests of the agent wait until it ends: what is counted after it is so.
   */
  request(approval: Approval): Promise<{ readonly approval: Approval; readonly isNew: boolean }>
  find(at: ApprovalAt): Promise<Approval | undefined>
  /** The newest for the same call that has not run out, and of which no token was issued yet. */
  findOpen(fingerprint: string, now: EpochSeconds): Promise<Approval | undefined>
  /** How many of an agent can still be decided. */
  countPending(agentId: string, now: EpochSeconds): Promise<number>
  /** In the order of their ids. */
  list(request: ListApprovals): Promise<readonly Approval[]>
  /** Answers `false`, changing nothing, where it was decided before, has run out or is not there. */
  decide(at: ApprovalAt, decision: Decision): Promise<boolean>
  /**
   * Notes the token that is issued for it; what a later one is called changes nothing. Answers `false`, changing nothing,
   * where it is not approved, or its time is over.
   */
  markIssued(
    id: string,
    token: { readonly tokenId: string; readonly now: EpochSeconds },
  ): Promise<boolean>
  /** Has those run out that stand on a grant, a token or a credential: what was decided about them counts no more. */
  endStandingOn(id: string, now: EpochSeconds): Promise<void>
  /** Forgets what ran out before the moment, and answers how many. */
  prune(before: EpochSeconds): Promise<number>
}
