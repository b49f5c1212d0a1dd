// The book as hledger reads it (https://hledger.org/hledger.html#journal): a transaction a posting, its
// amounts exact, who caused it as tags.
import { toDecimal } from '../ledger/currency.ts'
import type { JournalEntry } from '../verify/ledger-audit.ts'

/** Renders whole postings. Accounts and commodities are declared, so that `hledger check --strict` passes. */
export function renderJournal(entries: readonly JournalEntry[]): string {
  const declared = new Set<string>()
  const postings = new Map<string, JournalEntry[]>()
  for (const entry of entries) {
    const { account, currency, postingId, scale } = entry
    // A decimal mark is always shown in a directive, with no digits after it where there are none.
    declared.add(`commodity ${currency} 1000.${'0'.repeat(scale)}`)
    declared.add(`account ${account}`)
    const posting = postings.get(postingId)
    if (posting === undefined) postings.set(postingId, [entry])
    else posting.push(entry)
  }
  const blocks = [...postings.values()].map(renderPosting)
  return [...[...declared].map((line) => `${line}\n`), ...blocks].join('\n')
}

function renderPosting(entries: readonly JournalEntry[]): string {
  const [first] = entries
  if (first === undefined) return ''
  // oxlint-disable-next-line eslint/no-restricted-globals -- a moment that is given, not the present
  const moment = new Date(first.createdAt * 1000).toISOString()
  const tags = [
    `agent:${first.agentId}`,
    `subject:${first.subject}`,
    `time:${moment.slice(11, 19)}Z`,
    ...named('grant', first.grantId),
    ...named('token_sha256', first.tokenSha256),
    ...named('trace', first.traceId),
    ...named('hold', first.holdId),
    ...named('refers_to', first.refersTo),
  ]
  const lines = entries.map(
    ({ account, amountMinor, currency, scale }) =>
      `    ${account}  ${currency} ${toDecimal(amountMinor, scale)}\n`,
  )
  const head = `${moment.slice(0, 10)} * (${first.postingId}) ${first.procedure}`
  return `${head}\n${tags.map((tag) => `    ; ${tag}\n`).join('')}${lines.join('')}`
}

const named = (name: string, value: string | undefined): readonly string[] =>
  value === undefined ? [] : [`${name}:${value}`]
