import type { ChainHead } from './chain.ts'
import type { ChainSource } from './chain-source.ts'
import type { BrokenLink } from './check-link.ts'

/** Checks that an entry is there that somebody remembers, or was signed off as dropped. */
export async function checkNamedHead(
  source: ChainSource,
  { hash, seq, writerId }: ChainHead,
): Promise<BrokenLink | undefined> {
  const found = await source.findHash(writerId, seq)
  if (found === hash) return undefined
  if (found !== undefined) return { writerId, seq, fault: 'entry_replaced' }
  const anchor = await source.findAnchor(writerId)
  if (anchor !== undefined && anchor.seq > seq) return undefined
  if (anchor?.seq === seq && anchor.hash === hash) return undefined
  const missingFrom = await findFirstMissing(source, { writerId, seq })
  return { writerId, seq: missingFrom, fault: 'end_missing' }
}

/** Where a writer's entries stop, that should go on at least to a `seq`. */
async function findFirstMissing(
  source: ChainSource,
  { seq, writerId }: Pick<ChainHead, 'writerId' | 'seq'>,
): Promise<number> {
  let low = 0
  let high = Math.max(seq, 1)
  // Halved between an entry that is there and one that is not, since there may be many.
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    const rest = await source.listLinks({ writerId, afterSeq: middle - 1, limit: 1 })
    if (rest.length > 0) low = middle
    else high = middle
  }
  return high
}
