// Adds the book up again from its entries. Stretch by stretch, with a turn of the event loop between two, so
// that calls go on meanwhile.
import type { Verification } from '@deputy/contracts/billing'
import { setImmediate } from 'node:timers/promises'
import type { AccountSum, LedgerAudit, LedgerFault } from './ledger-audit.ts'

/** Entries of a stretch: some ten milliseconds. */
const STRETCH = 5000

type Work<Value> = (stores: { readonly audit: LedgerAudit }) => Promise<Value>

/** Where the book is. */
export type LedgerSource = {
  read<Value>(work: Work<Value>): Promise<Value>
  transaction<Value>(work: Work<Value>): Promise<Value>
}

export type VerifyLedgerOptions = {
  /** `new`: only what was posted since the last check of this database. */
  readonly entries: 'all' | 'new'
}

/** `billing.verify`, and each minute for what is new. Names the first thing that is broken. */
export async function verifyLedger(
  storage: LedgerSource,
  { entries }: VerifyLedgerOptions,
): Promise<Verification> {
  const known =
    entries === 'new' ? await storage.read(async ({ audit }) => audit.readVerified()) : []
  const book = await addUp(storage, known)
  const fault =
    book.fault ??
    (await compare(storage, book)) ??
    (entries === 'all'
      ? await storage.read(async ({ audit }) => audit.findCountWrong())
      : undefined)
  const report = { throughEntryId: book.throughId, accountsChecked: book.sums.size }
  if (fault !== undefined) return { ok: false, ...report, fault }
  const changed = [...book.sums.values()].filter((sum) => sum.lastEntryId > book.startedAfter)
  if (changed.length > 0) {
    await storage.transaction(async ({ audit }) => audit.writeVerified(changed))
  }
  return { ok: true, ...report }
}

export type AddedUp = {
  readonly sums: ReadonlyMap<string, AccountSum>
  /** The last entry that was added up. */
  readonly throughId: number
  readonly startedAfter: number
  readonly fault: LedgerFault | undefined
}

/** Adds up all entries that are in the book now, beginning with what is known. */
export async function addUp(
  storage: Pick<LedgerSource, 'read'>,
  known: readonly AccountSum[] = [],
): Promise<AddedUp> {
  const sums = new Map(known.map((sum) => [toKey(sum), sum]))
  const startedAfter = Math.max(0, ...known.map(({ lastEntryId }) => lastEntryId))
  let afterId = startedAfter
  for (;;) {
    const throughId = await storage.read(async ({ audit }) => audit.findEnd(afterId, STRETCH))
    if (throughId === undefined) break
    const range = { afterId, throughId }
    const fault = await storage.read(async ({ audit }) => audit.findBroken(range))
    if (fault !== undefined) return { sums, throughId: afterId, startedAfter, fault }
    for (const sum of await storage.read(async ({ audit }) => audit.sum(range))) {
      const key = toKey(sum)
      const balanceMinor = (sums.get(key)?.balanceMinor ?? 0) + sum.balanceMinor
      sums.set(key, { ...sum, balanceMinor })
    }
    afterId = throughId
    await setImmediate()
  }
  return { sums, throughId: afterId, startedAfter, fault: undefined }
}

/** What accounts say of themselves against their entries; those that moved on meanwhile are left for the next check. */
async function compare(
  storage: Pick<LedgerSource, 'read'>,
  { sums, throughId }: AddedUp,
): Promise<LedgerFault | undefined> {
  for (const account of await storage.read(async ({ audit }) => audit.listAccounts())) {
    const sum = sums.get(toKey(account)) ?? { balanceMinor: 0 }
    const hasMovedOn = account.lastEntryId > throughId
    if (hasMovedOn || account.balanceMinor === sum.balanceMinor) continue
    return {
      kind: 'balance_wrong',
      id: account.account,
      detail: `it says ${String(account.balanceMinor)} minor units of ${account.currency}, its entries come to ${String(sum.balanceMinor)}`,
    }
  }
  return storage.read(async ({ audit }) => audit.findHeldWrong())
}

const toKey = ({ account, currency }: Pick<AccountSum, 'account' | 'currency'>): string =>
  `${currency} ${account}`
