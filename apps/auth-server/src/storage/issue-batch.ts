// What the server and the thread that writes its issue log say to each other.
import type { ToldError } from '@deputy/storage/lent-writer'
import type { TrailEvent } from '../audit/audit-event.ts'
import type { ChainHead } from '../audit/chain.ts'
import type { AuthorityVersion } from '../clients/client-directory.ts'
import type { SigningHandle } from '../keys/signer.ts'
import type { IssueOutcome } from '../tokens/issue-log.ts'

/** Ids that are looked up at a time. A token's path has eight at most, its chain seven agents. */
export const DENIAL_WIDTH = 8

/** The SQL of the log. */
export type IssueStatements = {
  readonly readVersion: string
  /** Kind, then `DENIAL_WIDTH` ids. */
  readonly findDenial: string
  /** The columns of `toAuditColumns`, in their order. */
  readonly insertEntry: string
  /** A JSON list of `IssueBatch.uses`. */
  readonly touchCredentials: string
  /** The columns of `toGrantRow`, in their order. */
  readonly insertNode: string
}

/** An issue as it travels between threads. */
export type SentIssue = {
  readonly event: TrailEvent
  readonly basis: AuthorityVersion | undefined
  readonly node: SentNode | undefined
  /** What is signed once it is written. */
  readonly jwtInput: string | undefined
}

/** A node, and what must not have been revoked. */
export type SentNode = {
  /** The columns of its row, in their order. */
  readonly columns: readonly unknown[]
  readonly grantIds: readonly string[]
  readonly agentIds: readonly string[]
}

/** A batch, as it goes through JSON. All of it is signed with one key, and written in one commit. */
export type IssueBatch = {
  readonly at: number
  readonly issues: readonly SentIssue[]
  /** Credentials, and when each was last used; in the order of their ids. */
  readonly uses: readonly (readonly [id: string, usedAt: number])[]
  /**
   * Begins a chain: where there is none yet, or what became of its end is not known. Without it, the batch goes
   * on where the one before it ended, and is refused where that one's commit failed.
   */
  readonly start: { readonly writerId: string; readonly event: TrailEvent } | undefined
}

export type IssueBatchResult = {
  /** As many as there were issues, in their order. */
  readonly outcomes: readonly IssueOutcome[]
  /** The newest entry; `undefined` when none was written. */
  readonly head: ChainHead | undefined
}

/**
 * A batch as it is sent: as one text, since a batch of objects takes the main thread several times as long to
 * hand over; and beside it the key, which goes through no text.
 */
export type IssueMessage = { readonly batch: string; readonly handle: SigningHandle | undefined }

/** What became of a batch. */
export type CommittedBatch = IssueBatchResult & {
  /** `SIGNATURE_BYTES` for each issue that was written and is to be signed, in their order. */
  readonly signatures: Uint8Array
}

/** What the thread answers to a batch. */
export type IssueReply =
  | CommittedBatch
  /** Nothing of it was written, since there was no chain to go on with. */
  | 'refused'
  | { readonly fault: ToldError }

/** What the thread is started with. */
export type IssueWorkerData = { readonly file: string; readonly statements: IssueStatements }
