// Walks the chains of all writers, a page at a time, and names the first entry that does not fit.
// What this can prove, and what not, stands in chain.ts.
import { accept, refuse, type Result } from '@deputy/auth/protocol'
import { setImmediate } from 'node:timers/promises'
import { createEmptyHead, type ChainHead } from './chain.ts'
import { checkLink, type BrokenLink } from './check-link.ts'
import { checkNamedHead } from './check-named-head.ts'
import type { ChainSource } from './chain-source.ts'
import { readNamedHeads } from './trail-entries.ts'

export type VerifyOptions = {
  /** Heads that somebody kept elsewhere: these entries must be there, or be signed off as dropped. */
  readonly checkpoints?: readonly ChainHead[] | undefined
  /** Entries in memory at a time. Default 500. */
  readonly pageSize?: number | undefined
  /** Rejects with its reason, before the next page, once nobody waits for the verdict any more. */
  readonly signal?: AbortSignal | undefined
}

/** A trail without a fault. */
export type VerifiedChains = {
  readonly entries: number
  /** The head of each writer: worth keeping elsewhere, as checkpoints. */
  readonly heads: readonly ChainHead[]
}

/** Verifies every entry of every writer. */
export async function verifyChains(
  source: ChainSource,
  options: VerifyOptions = {},
): Promise<Result<VerifiedChains, BrokenLink>> {
  const { checkpoints = [], pageSize = 500, signal } = options
  const heads: ChainHead[] = []
  let entries = 0
  for await (const writerId of eachWriter(source, pageSize)) {
    const walked = await walkAgain(source, { writerId, pageSize, signal })
    if (!walked.ok) return walked
    entries += walked.value.entries
    if (walked.value.head.seq > 0) heads.push(walked.value.head)
  }
  for (const checkpoint of checkpoints) {
    const broken = await checkNamedHead(source, checkpoint)
    if (broken !== undefined) return refuse(broken)
  }
  return accept({ entries, heads })
}

type Walk = Pick<VerifyOptions, 'signal'> & {
  readonly writerId: string
  readonly pageSize: number
}
type Walked = { readonly entries: number; readonly head: ChainHead }

/** A pruning may have gone on at the same time: what looks broken is looked at once more. */
async function walkAgain(source: ChainSource, walk: Walk): Promise<Result<Walked, BrokenLink>> {
  const walked = await walkWriter(source, walk)
  return walked.ok ? walked : walkWriter(source, walk)
}

async function walkWriter(
  source: ChainSource,
  { pageSize, signal, writerId }: Walk,
): Promise<Result<Walked, BrokenLink>> {
  let head: ChainHead | undefined
  let entries = 0
  let lastId = 0
  for (;;) {
    signal?.throwIfAborted()
    const links = await source.listLinks({ writerId, afterSeq: head?.seq, limit: pageSize })
    head ??= await findStart(source, links[0]?.entry ?? { writerId, seq: 1, prevHash: '' })
    for (const link of links) {
      const checked = checkLink(link, head)
      if (!checked.ok) return checked
      const { entry } = link
      if (entry.id <= lastId) return refuse({ writerId, seq: entry.seq, fault: 'order_changed' })
      for (const named of readNamedHeads(entry)) {
        const broken = await checkNamedHead(source, named)
        if (broken !== undefined) return refuse(broken)
      }
      entries += 1
      head = checked.value
      lastId = entry.id
    }
    if (links.length < pageSize) return accept({ entries, head })
    // The server goes on answering meanwhile.
    await setImmediate()
  }
}

/**
 * What the first entry that is left must follow: nothing, or the last one that was signed off as
 * dropped. Where a pruning was broken off, older ones are left, which follow something unknown.
 */
async function findStart(
  source: ChainSource,
  first: Pick<ChainHead, 'writerId' | 'seq'> & { readonly prevHash: string },
): Promise<ChainHead> {
  const { prevHash, seq, writerId } = first
  const empty = createEmptyHead(writerId)
  if (seq <= 1) return empty
  const anchor = await source.findAnchor(writerId)
  if (anchor === undefined || anchor.seq < seq - 1) return empty
  return anchor.seq === seq - 1 ? anchor : { writerId, seq: seq - 1, hash: prevHash }
}

async function* eachWriter(source: ChainSource, pageSize: number): AsyncGenerator<string> {
  let after: string | undefined
  for (;;) {
    const writers = await source.listWriters(after, pageSize)
    yield* writers
    after = writers.at(-1)
    if (after === undefined || writers.length < pageSize) return
  }
}
