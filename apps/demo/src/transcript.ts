// What happened, as data. The story writes events; a renderer turns them into text or JSON lines.
import type { Brief } from '@deputy/contracts/research'
import type { CallRecord } from '@deputy/contracts/call'
import type { Statement } from '@deputy/contracts/billing'

/** An account of the ledger and what stands on it, in minor units. */
export type LedgerLine = { readonly account: string; readonly balanceMinor: number }

export type TranscriptEvent =
  | { readonly type: 'chapter'; readonly title: string }
  | { readonly type: 'server'; readonly id: string; readonly url: string }
  | ({ readonly type: 'call'; readonly depth: number } & CallRecord)
  | {
      readonly type: 'ledger'
      readonly when: 'before' | 'after'
      readonly currency: string
      readonly accounts: readonly LedgerLine[]
      readonly totalMinor: number
    }
  | ({ readonly type: 'brief' } & Pick<
      Brief,
      'question' | 'sentences' | 'documentsSearched' | 'cost' | 'jobId'
    >)
  | ({ readonly type: 'statement' } & Pick<
      Statement,
      'statementId' | 'lines' | 'totalMinor' | 'currency'
    >)
  | {
      readonly type: 'allowed' | 'refused'
      readonly attempt: string
      readonly procedure: string
      readonly status: number
      readonly reason: string
      readonly message: string
      readonly hint: string
      readonly challenge: string | undefined
    }
  | { readonly type: 'try'; readonly title: string; readonly command: string }
  | { readonly type: 'note'; readonly text: string }

/** Takes an event as soon as it has happened. */
export type Transcript = (event: TranscriptEvent) => void
