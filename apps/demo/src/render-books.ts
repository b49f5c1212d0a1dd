// What was done with the books, as a person reads it.
import { bad, count, dim, good, toAmount } from './text.ts'
import type { TranscriptEvent } from './transcript.ts'

type Of<Type extends TranscriptEvent['type']> = Extract<TranscriptEvent, { type: Type }>

type BookEvent = Of<
  'usage' | 'invoice' | 'refund' | 'quota' | 'quotaEvent' | 'verified' | 'journal' | 'revert'
>

/** Renders an event of the chapter. */
export function toBookLines(event: BookEvent): readonly string[] {
  switch (event.type) {
    case 'usage': {
      const { duplicates, meter, recorded, sent } = event
      return [
        `  Usage of ${meter}: ${count(sent, 'event')} sent, ${String(recorded)} recorded, ${String(duplicates)} known already`,
      ]
    }
    case 'invoice': {
      const { file, htmlBytes, number } = event
      const where = file === undefined ? '' : `, in ${file}`
      return [`  Invoice ${number}: a page of ${(htmlBytes / 1024).toFixed(1)} KiB${where}`]
    }
    case 'refund': {
      const { amountMinor, capturedMinor, currency, reason } = event
      return [
        `  Refunded ${toAmount(amountMinor)} of ${toAmount(capturedMinor)} ${currency}: ${reason}`,
      ]
    }
    case 'quota': {
      const { cap, currency, held, holder, period, used } = event
      return [
        `  ${holder} has spent ${toAmount(used + held)} of ${toAmount(cap)} ${currency} this ${period}`,
      ]
    }
    case 'quotaEvent': {
      const { cap, percent, spent } = event
      return [dim(`    came to ${String(percent)} % with ${toAmount(spent)} of ${toAmount(cap)}`)]
    }
    case 'verified': {
      const { accounts, entries } = event
      const what = `${count(entries, 'entry')} of ${count(accounts, 'account')}`
      return [`  Ledger ${good('sound')}: ${what} checked`]
    }
    case 'journal':
      return [
        `  As an hledger journal: ${count(event.transactions, 'transaction')}, the last of which is`,
        ...event.last.split('\n').map((line) => dim(`    ${line}`)),
      ]
    case 'revert':
      return revertLines(event)
  }
}

function revertLines({ agentId, reversals }: Of<'revert'>): readonly string[] {
  return [
    `  If everything that ${agentId} did were reverted (a dry run):`,
    ...reversals.map(
      ({ amount, outcome, procedure }) =>
        `    ${procedure.padEnd(24)} ${toAmount(amount.amountMinor).padStart(8)} ${amount.currency}  ${outcome === 'insufficient_funds' ? bad(outcome) : outcome}`,
    ),
  ]
}
