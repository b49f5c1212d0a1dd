// What happened, as data. The story writes events; a renderer turns them into text or JSON lines.
import type { Reversal, Statement } from '@deputy/contracts/billing'
import type { CallRecord } from '@deputy/contracts/call'
import type { Brief } from '@deputy/contracts/research'
import type { TraceStep } from '@deputy/contracts/trace'

/** An account of the ledger and what stands on it, in minor units. */
export type LedgerLine = { readonly account: string; readonly balanceMinor: number }

/** Authority for one piece of work. */
export type Task = {
  readonly grantId: string
  readonly agentId: string
  readonly scopes: readonly string[]
  readonly budget: string
  readonly ttlSeconds: number
}

/** A step of authority, and what it left behind of the one before. */
export type ChainHop = {
  readonly depth: number
  readonly kind: 'credential' | 'task' | 'token'
  readonly agentId: string
  readonly audiences: readonly string[]
  readonly scopes: readonly string[]
  readonly dropped: readonly { readonly scope: string; readonly rule: string }[]
}

export type TranscriptEvent =
  | { readonly type: 'chapter'; readonly title: string }
  | { readonly type: 'server'; readonly id: string; readonly url: string }
  | ({ readonly type: 'call'; readonly depth: number } & CallRecord)
  /** What research does, while it does it. */
  | ({ readonly type: 'step' } & Pick<
      TraceStep,
      'sequence' | 'kind' | 'decision' | 'durationMs' | 'tool' | 'reason' | 'detail'
    >)
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
      'statementId' | 'lines' | 'usage' | 'totalMinor' | 'currency'
    >)
  | {
      readonly type: 'usage'
      readonly meter: string
      readonly sent: number
      readonly recorded: number
      readonly duplicates: number
    }
  | {
      readonly type: 'invoice'
      readonly number: string
      readonly htmlBytes: number
      /** Where the page was put; not for a demo, whose state goes with it. */
      readonly file: string | undefined
    }
  | {
      readonly type: 'refund'
      readonly amountMinor: number
      readonly capturedMinor: number
      readonly currency: string
      readonly reason: string
    }
  | {
      readonly type: 'quota'
      readonly holder: string
      readonly period: string
      readonly cap: number
      readonly currency: string
      readonly used: number
      readonly held: number
    }
  | {
      readonly type: 'quotaEvent'
      readonly percent: number
      readonly spent: number
      readonly cap: number
    }
  | { readonly type: 'verified'; readonly entries: number; readonly accounts: number }
  | { readonly type: 'journal'; readonly transactions: number; readonly last: string }
  | {
      readonly type: 'revert'
      readonly agentId: string
      readonly reversals: readonly Pick<Reversal, 'procedure' | 'outcome' | 'amount'>[]
    }
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
  | ({ readonly type: 'task' } & Task)
  | { readonly type: 'chain'; readonly subjectId: string; readonly hops: readonly ChainHop[] }
  | {
      readonly type: 'preview'
      readonly agents: readonly string[]
      readonly liveTokens: number
      readonly heldMinor: number
      readonly currency: string
      readonly verifiers: readonly {
        readonly agentId: string
        readonly isConnected: boolean
        readonly open?: number | undefined
      }[]
    }
  | {
      readonly type: 'noticed'
      readonly agentId: string
      readonly afterMs: number
      readonly reason: string
    }
  | {
      readonly type: 'released'
      readonly amountMinor: number
      readonly currency: string
      readonly reference: string
    }
  | {
      readonly type: 'withstood'
      readonly attack: string
      readonly reason: string
      readonly message: string
    }
  | { readonly type: 'try'; readonly title: string; readonly command: string }
  | { readonly type: 'note'; readonly text: string }

/** Takes an event as soon as it has happened. */
export type Transcript = (event: TranscriptEvent) => void
