// The trail as JSON lines, with the places of entries in their chains, so that a file can be verified
// where there is no database.
import {
  accept,
  refuse,
  systemClock,
  waitFor,
  type Clock,
  type Result,
} from '@deputy/auth/protocol'
import { AuditEntry } from './audit-event.ts'
import type { AuditSelection, AuditTrail } from './audit-trail.ts'
import { checkLink, type BrokenLink } from './check-link.ts'
import type { ChainHead } from './chain.ts'

const NEVER = new AbortController().signal

/** Entries in memory at a time. */
const PAGE = 500

/** From one look at entries that may not be read yet to the next. */
const LOOK_EVERY_MS = 1000

/**
 * Writes the entries, oldest first, as they are when it begins. One line an entry, each ending in a
 * line feed. Waits, half a minute at most, where entries before others may be yet to come.
 */
export async function* exportTrail(
  trail: Pick<AuditTrail, 'readAfter' | 'newestId'>,
  selection: AuditSelection,
  clock: Clock = systemClock,
): AsyncGenerator<string, void, undefined> {
  const { filter, within } = selection
  const endId = await trail.newestId()
  let afterId = 0
  while (afterId < endId) {
    const page = await trail.readAfter({ within, filter, afterId, limit: PAGE })
    for (const entry of page.entries) {
      if (entry.id <= endId) yield `${JSON.stringify(entry)}\n`
    }
    if (page.reachedId > afterId) afterId = page.reachedId
    // Ending here would leave out entries that are there, without a word.
    else if ((await trail.newestId()) <= afterId) return
    else await waitFor(clock, LOOK_EVERY_MS, NEVER)
  }
}

/** What a file has of one writer. */
export type ExportedChain = ChainHead & { readonly firstSeq: number; readonly entries: number }

/** A file without a fault. */
export type VerifiedExport = {
  readonly entries: number
  readonly chains: readonly ExportedChain[]
}

/** Why a file does not verify. */
export type ExportFault = BrokenLink | { readonly fault: 'line_unreadable'; readonly line: number }

export type VerifyExportOptions = {
  /** Whether the export was of a selection: then entries in between may be missing. Default: no. */
  readonly isSelection?: boolean | undefined
}

/**
 * Verifies an exported file, line by line. It proves that the lines are as they were written and,
 * unless it is a selection, that none is missing between the first and the last of a writer; what is
 * missing at the ends only a comparison with kept heads shows.
 */
export async function verifyExport(
  lines: AsyncIterable<string> | Iterable<string>,
  options: VerifyExportOptions = {},
): Promise<Result<VerifiedExport, ExportFault>> {
  const chains = new Map<string, ExportedChain>()
  let entries = 0
  let line = 0
  for await (const text of lines) {
    line += 1
    if (text.trim() === '') continue
    const entry = parseLine(text)
    if (entry === undefined) return refuse({ fault: 'line_unreadable', line })
    const known = chains.get(entry.writerId)
    const follows = known !== undefined && (!options.isSelection || known.seq + 1 === entry.seq)
    const checked = checkLink({ entry, isExact: true }, follows ? known : undefined)
    if (!checked.ok) return checked
    entries += 1
    chains.set(entry.writerId, {
      ...checked.value,
      firstSeq: known?.firstSeq ?? entry.seq,
      entries: (known?.entries ?? 0) + 1,
    })
  }
  return accept({ entries, chains: [...chains.values()] })
}

/** Strict: a member that is no part of an entry is not covered by its hash. */
const Line = AuditEntry.strict()

function parseLine(text: string): AuditEntry | undefined {
  try {
    return Line.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
