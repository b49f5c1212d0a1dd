import type { AuditEntry } from './audit-event.ts'
import type { ChainHead } from './chain.ts'

/** An entry, and whether the store holds it just as it would write it. */
export type StoredLink = { readonly entry: AuditEntry; readonly isExact: boolean }

/** A part of the entries of one writer. */
export type LinkPage = {
  readonly writerId: string
  /** Left out, from the smallest that there is, even if it should be none that a writer gives. */
  readonly afterSeq: number | undefined
  readonly limit: number
}

/** The chains as verification reads them, a page at a time. */
export type ChainSource = {
  /** The writers of whom there are entries, in the order of their ids. */
  listWriters(afterWriterId: string | undefined, limit: number): Promise<readonly string[]>
  /** In the order of `seq`. */
  listLinks(page: LinkPage): Promise<readonly StoredLink[]>
  findHash(writerId: string, seq: number): Promise<string | undefined>
  /** The last entry of a writer that was signed off as dropped, if any was. */
  findAnchor(writerId: string): Promise<ChainHead | undefined>
}
