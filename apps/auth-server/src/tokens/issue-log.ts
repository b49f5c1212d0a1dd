import type { AuditEvent } from '../audit/audit-event.ts'
import type { AuthorityVersion } from '../clients/client-directory.ts'
import type { CredentialUseStore } from '../credentials/credential-use-store.ts'
import type { GrantNode } from '../delegation/grant-node.ts'
import type { UnsignedJwt } from './jwt-encoder.ts'

/** A token that was decided on, and is to be written down. */
export type Issue = {
  readonly event: AuditEvent
  /** What the decision rests on; `undefined` where all of it was read from the store for this request. */
  readonly basis: AuthorityVersion | undefined
  /** Its place in the tree of grants, where it has one. */
  readonly node?: GrantNode | undefined
}

/** What became of it: nothing is written but for `written`. */
export type IssueOutcome =
  | 'written'
  /** Agents or secrets have changed since the basis: decide anew. */
  | 'outdated'
  /** What the token would stand on was revoked. */
  | 'revoked'

/** Where tokens are written down before they are handed out. */
export type IssueLog = {
  /**
   * Resolves once the entry and the node are on disk, those of the same moment together. The version and
   * the revocations are looked at in the transaction that writes: between them and the entry there is no
   * moment in which something could be ended unseen. Rejects when nothing can be written.
   */
  write(issue: Issue): Promise<IssueOutcome>
  /**
   * The same, and answers the signature of the token: what could not be written down is never signed. Where
   * a thread of its own writes, that thread signs.
   */
  sign(issue: Issue, jwt: UnsignedJwt): Promise<Uint8Array | Exclude<IssueOutcome, 'written'>>
  /** See `CredentialUseStore`: in the commit of whatever is issued, if anything is. */
  touch: CredentialUseStore['touch']
}
