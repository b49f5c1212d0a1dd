import { refuse, accept, type Result } from '@deputy/auth/protocol'
import { hashEntry, type ChainHead } from './chain.ts'
import type { StoredLink } from './chain-source.ts'

/** What is wrong with a chain. */
export const CHAIN_FAULTS = [
  /** The entry is not the one that was hashed. */
  'entry_altered',
  /** Entries before this one are missing. */
  'entries_missing',
  /** The entry was not written after the one before it. */
  'order_changed',
  /** Entries that somebody remembers, from here on, are missing at the end. */
  'end_missing',
  /** The entry is not the one that somebody remembers. */
  'entry_replaced',
] as const

/** The first broken entry. */
export type BrokenLink = {
  readonly writerId: string
  readonly seq: number
  readonly fault: (typeof CHAIN_FAULTS)[number]
}

/** Checks an entry against the one before it, or against nothing where the chain is entered. */
export function checkLink(
  { entry, isExact }: StoredLink,
  previous: ChainHead | undefined,
): Result<ChainHead, BrokenLink> {
  const { hash, prevHash, seq, writerId } = entry
  const expectedSeq = previous === undefined ? seq : previous.seq + 1
  if (seq !== expectedSeq) {
    return refuse({ writerId, seq: expectedSeq, fault: 'entries_missing' })
  }
  if (!isExact || hashEntry(entry) !== hash)
    return refuse({ writerId, seq, fault: 'entry_altered' })
  if (previous !== undefined && prevHash !== previous.hash) {
    return refuse({ writerId, seq, fault: 'order_changed' })
  }
  return accept({ writerId, seq, hash })
}
