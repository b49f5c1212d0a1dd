// What an operator does with the books afterwards: sends an invoice, gives money back, checks, hands on, and
// looks at what reverting an agent would come to.
import type { AgentClient } from '@deputy/client'
import type { BillingRouter, Statement } from '@deputy/contracts/billing'
import { RESEARCH_AGENT_ID } from '@deputy/contracts/research'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { DemoError } from './demo-error.ts'
import type { StateFolder } from './state-folder.ts'
import type { Transcript } from './transcript.ts'

/** What research may spend in a month before somebody is told; nothing is refused. */
const MONTHLY_CAP_MINOR = 40

/** What the operator gives back of the work. */
const REFUND_MINOR = 10

export type BooksOptions = {
  readonly billing: AgentClient<BillingRouter>
  readonly state: StateFolder
  readonly transcript: Transcript
}

/** Has somebody told when research spends more than it used to. The same on every start. */
export async function watchSpending({ billing }: BooksOptions, currency: string): Promise<void> {
  await billing.quotas.set.mutate({
    scope: { kind: 'agent', agentId: RESEARCH_AGENT_ID },
    measure: { kind: 'money', currency },
    period: 'month',
    cap: MONTHLY_CAP_MINOR,
    enforcement: 'report',
    reason: 'the demo: be told, refuse nothing',
    idempotencyKey: 'research-monthly',
  })
}

/** Shows the books after the work. Rejects with `DemoError` when they do not add up. */
export async function showBooks(options: BooksOptions, statement: Statement): Promise<void> {
  const { billing, state, transcript } = options
  transcript({ type: 'chapter', title: 'The books' })
  const { html, number } = await billing.billing.invoice.query({
    statementId: statement.statementId,
  })
  transcript({
    type: 'invoice',
    number,
    htmlBytes: Buffer.byteLength(html),
    file: state.isThrowAway ? undefined : writeInvoice(state, number, html),
  })

  const [line] = statement.lines
  if (line !== undefined) {
    const { amount, capturedMinor, reason } = await billing.billing.refund.mutate({
      holdId: line.holdId,
      amountMinor: Math.min(REFUND_MINOR, line.amountMinor),
      reason: 'a source was out of date',
      idempotencyKey: randomUUID(),
    })
    transcript({ type: 'refund', ...amount, capturedMinor, reason })
  }

  await showSpending(options)
  await checkBooks(options)

  const { agentId, reversals } = await billing.billing.revertActor.mutate({
    agentId: RESEARCH_AGENT_ID,
    dryRun: true,
    idempotencyKey: randomUUID(),
  })
  transcript({ type: 'revert', agentId, reversals })
}

async function showSpending({ billing, transcript }: BooksOptions): Promise<void> {
  const { quotas } = await billing.quotas.list.query()
  const { events } = await billing.quotas.events.query()
  for (const { cap, current, measure, period, scope } of quotas) {
    if (cap === null || measure.kind !== 'money' || scope.kind !== 'agent') continue
    const { held, used } = current
    const { currency } = measure
    transcript({ type: 'quota', holder: scope.agentId, period, cap, currency, held, used })
  }
  for (const { cap, spent, threshold } of events) {
    transcript({ type: 'quotaEvent', percent: threshold, spent, cap })
  }
}

async function checkBooks({ billing, transcript }: BooksOptions): Promise<void> {
  const { accountsChecked, fault, ok, throughEntryId } = await billing.billing.verify.query()
  if (!ok) throw new DemoError(`the ledger is broken: ${fault?.kind ?? ''} ${fault?.detail ?? ''}`)
  transcript({ type: 'verified', entries: throughEntryId, accounts: accountsChecked })
  const { journal } = await billing.billing.exportJournal.query()
  // The directives come first; a transaction begins with its date.
  const transactions = journal.split('\n\n').filter((block) => /^\d{4}-/.test(block))
  transcript({
    type: 'journal',
    transactions: transactions.length,
    last: transactions.at(-1)?.trimEnd() ?? '',
  })
}

function writeInvoice(state: StateFolder, number: string, html: string): string {
  const file = state.file(`${number}.html`)
  writeFileSync(file, html, { mode: 0o600 })
  return file
}
