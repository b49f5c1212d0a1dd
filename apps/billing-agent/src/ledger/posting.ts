// The rules of the book, pure. Every movement of money is a posting: entries that sum to zero. Amounts
// are signed minor units: what comes in is positive, where it came from is negative.

import { SYSTEM_OWNER_ID, type Holder } from '../owners/owner.ts'

/** One side of a movement. */
export type Entry = { readonly account: string; readonly amountMinor: number }

/** What an agent may spend. Never below zero. */
export function availableAccount({ agentId, ownerId }: Holder): string {
  return `agent:${agentId}${suffix(ownerId)}:available`
}

/** What is promised to open holds. Never below zero. */
export function heldAccount({ agentId, ownerId }: Holder): string {
  return `agent:${agentId}${suffix(ownerId)}:held`
}

/** What a service has earned from an organisation. */
export function incomeAccount(service: string, ownerId: string): string {
  return `income:${service}${suffix(ownerId)}`
}

/** Where deposits come from: the world outside. Goes below zero by as much as is in the organisation's book. */
export function fundingAccount(ownerId: string): string {
  return `external:funding${suffix(ownerId)}`
}

/** Names of accounts are one space: an organisation's end with its id, but for the system's own. */
const suffix = (ownerId: string): string => (ownerId === SYSTEM_OWNER_ID ? '' : `@${ownerId}`)

/** Moves an amount from one account to another. */
export function transfer(from: string, to: string, amountMinor: number): readonly [Entry, Entry] {
  return [
    { account: from, amountMinor: -amountMinor },
    { account: to, amountMinor },
  ]
}

/**
 * The entries of a capture: from the hold to the income, and what is left of the hold back to where
 * it was held from.
 */
export function captureEntries(hold: {
  readonly holder: Holder
  readonly service: string
  readonly heldMinor: number
  readonly capturedMinor: number
}): readonly Entry[] {
  const { capturedMinor, heldMinor, holder, service } = hold
  const restMinor = heldMinor - capturedMinor
  return [
    { account: heldAccount(holder), amountMinor: -heldMinor },
    { account: incomeAccount(service, holder.ownerId), amountMinor: capturedMinor },
    ...(restMinor === 0 ? [] : [{ account: availableAccount(holder), amountMinor: restMinor }]),
  ]
}

/** Throws `TypeError` for entries that no ledger may take: a bug of whoever built them. */
export function assertBalanced(entries: readonly Entry[]): void {
  const sum = entries.reduce((total, entry) => total + entry.amountMinor, 0)
  const isWhole = entries.every(({ amountMinor }) => Number.isSafeInteger(amountMinor))
  if (entries.length < 2 || sum !== 0 || !isWhole) {
    throw new TypeError('a posting needs two entries or more of whole minor units that sum to zero')
  }
}

/** What a posting moved: of a capture what was earned, since the rest returns to where it came from. */
export function movedMinor(procedure: string, entries: readonly Entry[]): number {
  const isCapture = procedure === 'billing.capture'
  return entries
    .filter(({ account, amountMinor }) =>
      isCapture ? account.startsWith('income:') : amountMinor > 0,
    )
    .reduce((sum, { amountMinor }) => sum + amountMinor, 0)
}
