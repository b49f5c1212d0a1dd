import type { Journal, JournalInput } from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import { operatedOwner } from '../owners/owner.ts'
import type { ServiceDeps } from '../service-deps.ts'
import { renderJournal } from './render-journal.ts'

/** Entries of a page. */
const PAGE = 5000

/** `billing.exportJournal`: the book of an organisation for hledger, page by page. */
export async function exportJournal(
  { storage }: ServiceDeps,
  { principal }: Call,
  { cursor, ownerId }: JournalInput,
): Promise<Journal> {
  const owner = operatedOwner(principal, ownerId)
  return storage.read(async ({ audit }) => {
    const throughId = await audit.findEnd(cursor, PAGE)
    if (throughId === undefined) return { journal: '' }
    const entries = await audit.listEntries(owner, { afterId: cursor, throughId })
    return { journal: renderJournal(entries), nextCursor: throughId }
  })
}
