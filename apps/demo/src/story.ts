// The main job: a question, answered from real documents, paid for in a real ledger, with evidence.
import { clientSecret, createAgentClient, toClientError } from '@deputy/client'
import { BILLING_AGENT_ID, type BillingRouter } from '@deputy/contracts/billing'
import { CallRecord } from '@deputy/contracts/call'
import { RESEARCH_AGENT_ID, type ResearchRouter } from '@deputy/contracts/research'
import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { showBooks, watchSpending } from './books.ts'
import { DemoError } from './demo-error.ts'
import { OPERATOR_ID } from './enroll.ts'
import { askLive } from './ask-live.ts'
import { priceSearches, recordSearches } from './metering.ts'
import { endTask, openTask, showChains } from './task.ts'
import { showWithstood } from './withstood.ts'
import type { StateFolder } from './state-folder.ts'
import type { System } from './system.ts'
import type { Transcript } from './transcript.ts'

const CURRENCY = 'USD'

export type StoryOptions = {
  readonly system: System
  readonly state: StateFolder
  readonly question: string
  readonly transcript: Transcript
}

/**
 * Runs the work. Answers whether the question was answered: where it was not, the transcript says why.
 * Rejects with `DemoError` when the system itself does not do as it should.
 */
export async function tellStory(options: StoryOptions): Promise<boolean> {
  const { question, state, system, transcript } = options
  const operator = state.readCredentials(OPERATOR_ID)
  if (operator === undefined) throw new DemoError('the operator has no credentials file')
  const credentials = clientSecret({
    issuer: system.issuer,
    clientId: operator.client_id,
    clientSecret: operator.client_secret,
  })
  // `research:read` is for billing to hand on: it asks research for receipts in the operator's name.
  const billingScopes = [
    'billing:audit',
    'billing:close',
    'billing:deposit',
    'billing:prices',
    'billing:quotas',
    'billing:read',
    'billing:refund',
    'billing:revert',
    'billing:usage',
    'research:read',
  ]
  await using billing = createAgentClient<BillingRouter>({
    url: system.billingUrl,
    credentials,
    audience: BILLING_AGENT_ID,
    scopes: billingScopes,
  })
  // Over WebSocket, so that both transports are seen at work.
  await using research = createAgentClient<ResearchRouter>({
    url: system.researchUrl,
    credentials,
    audience: RESEARCH_AGENT_ID,
    scopes: ['research:write'],
    transport: 'websocket',
  })

  /** Makes a call as the operator and writes it down, with the calls that it caused. */
  async function call<Answer extends object>(
    to: string,
    act: { readonly procedure: string; readonly scope: string },
    run: () => Promise<Answer>,
  ): Promise<Answer | undefined> {
    const { procedure, scope } = act
    const startedMs = performance.now()
    const record = (outcome: string): void =>
      transcript({
        type: 'call',
        depth: 0,
        from: OPERATOR_ID,
        to,
        procedure,
        scopes: [scope],
        outcome,
        durationMs: performance.now() - startedMs,
      })
    try {
      const answer = await run()
      record('ok')
      for (const inner of readCalls(answer)) transcript({ type: 'call', depth: 1, ...inner })
      return answer
    } catch (error) {
      const { code, hint, message } = toClientError(error)
      record(code)
      transcript({ type: 'note', text: `${message}. ${hint}` })
      return undefined
    }
  }

  async function showLedger(when: 'before' | 'after'): Promise<void> {
    const ledger = await billing.billing.trialBalance.query({ currency: CURRENCY })
    transcript({ type: 'ledger', when, ...ledger })
  }

  transcript({ type: 'chapter', title: 'The work' })
  // The same key on every start: the deposit is made once, however often it is asked for.
  await call(
    BILLING_AGENT_ID,
    { procedure: 'billing.deposit', scope: 'billing:deposit' },
    async () =>
      billing.billing.deposit.mutate({
        account: RESEARCH_AGENT_ID,
        amount: { amountMinor: 10_000, currency: CURRENCY },
        idempotencyKey: 'opening-deposit',
      }),
  )
  await showLedger('before')
  const books = { billing, state, transcript }
  await watchSpending(books, CURRENCY)
  await priceSearches(books, CURRENCY)
  const task = await openTask(options)
  transcript({ type: 'note', text: 'What research does for the question, each step on its trace:' })
  const brief = await call(
    RESEARCH_AGENT_ID,
    { procedure: 'research.ask', scope: 'research:write' },
    async () => askLive(research, { question, taskGrant: task.grantId }, transcript),
  )
  if (brief !== undefined) {
    transcript({ type: 'brief', ...brief })
    await recordSearches(books, brief.jobId)
  }
  const statement = await call(
    BILLING_AGENT_ID,
    { procedure: 'billing.closeStatement', scope: 'billing:close' },
    async () =>
      billing.billing.closeStatement.mutate({
        account: RESEARCH_AGENT_ID,
        currency: CURRENCY,
        idempotencyKey: randomUUID(),
      }),
  )
  if (statement !== undefined) transcript({ type: 'statement', ...statement })
  if (statement !== undefined) await showBooks(books, statement)
  if (brief !== undefined && statement !== undefined) {
    const known = { jobId: brief.jobId, statementId: statement.statementId }
    await showWithstood({ system, state, transcript, task, billing, research, ...known })
  }
  await showLedger('after')
  await showChains(options, task)
  await endTask(options, task)
  return brief !== undefined && statement !== undefined
}

/** The calls that an agent says it made on the way to its answer. */
function readCalls(answer: object): readonly CallRecord[] {
  return 'calls' in answer ? z.array(CallRecord).parse(answer.calls) : []
}
