/** What does not hold in the book, and where. */
export type LedgerFault = {
  readonly kind:
    | 'posting_unbalanced'
    | 'posting_unsealed'
    | 'balance_wrong'
    | 'held_wrong'
    | 'count_wrong'
  /** The posting, the account, or the grant or quota that is counted. */
  readonly id: string
  readonly detail: string
}

/** What stood on an account when its entries up to one were added up. */
export type AccountSum = {
  readonly account: string
  readonly currency: string
  readonly balanceMinor: number
  readonly lastEntryId: number
}

/** The entries after `afterId` up to `throughId`, which ends a posting. */
export type EntryRange = { readonly afterId: number; readonly throughId: number }

/** An entry with its posting, as the journal shows it. */
export type JournalEntry = {
  readonly id: number
  readonly postingId: string
  readonly account: string
  readonly amountMinor: number
  readonly currency: string
  readonly scale: number
  readonly procedure: string
  readonly agentId: string
  readonly subject: string
  readonly grantId: string | undefined
  readonly traceId: string | undefined
  readonly tokenSha256: string | undefined
  readonly holdId: string | undefined
  readonly refersTo: string | undefined
  readonly createdAt: number
}

/** Reads the book from its entries, a stretch at a time. */
export type LedgerAudit = {
  /** Where the next stretch of about so many entries ends; `undefined` when there are none. */
  findEnd(afterId: number, entries: number): Promise<number | undefined>
  /** The first posting of a stretch that does not balance or was not sealed. */
  findBroken(range: EntryRange): Promise<LedgerFault | undefined>
  /** What a stretch moves, account by account. */
  sum(range: EntryRange): Promise<readonly AccountSum[]>
  /** Every account as it says of itself. */
  listAccounts(): Promise<readonly (AccountSum & { readonly ownerId: string })[]>
  /** The first account whose holds do not add up to what it holds. */
  findHeldWrong(): Promise<LedgerFault | undefined>
  /** The first budget or quota whose use is not what was counted against it. Looks at all of it. */
  findCountWrong(): Promise<LedgerFault | undefined>
  /** Where the last check of this database got to. */
  readVerified(): Promise<readonly AccountSum[]>
  /** Leaves what a check that got further has written of an account meanwhile. */
  writeVerified(sums: readonly AccountSum[]): Promise<void>
  /** An organisation's entries, whole postings, in the order of the book. */
  listEntries(ownerId: string, range: EntryRange): Promise<readonly JournalEntry[]>
}
