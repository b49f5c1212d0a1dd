// What is tried on money, on somebody else's work and on the documents, and what comes of it.
import { clientSecret, createAgentClient, toClientError, type AgentClient } from '@deputy/client'
import { BILLING_AGENT_ID, type BillingRouter } from '@deputy/contracts/billing'
import { RESEARCH_AGENT_ID, type ResearchRouter } from '@deputy/contracts/research'
import { randomUUID } from 'node:crypto'
import { DemoError } from './demo-error.ts'
import { enrollRival, RIVAL_ID, VISITOR_ID } from './enroll.ts'
import type { StateFolder } from './state-folder.ts'
import type { System } from './system.ts'
import { openBillingAsResearch, quoteUnits } from './task.ts'
import type { Task, Transcript } from './transcript.ts'
import { UNTRUSTED_FILE, UNTRUSTED_QUESTION } from './untrusted-document.ts'

/** Of the task, a day. */
const QUOTA_MINOR = 100
/** Quotes cost 10 and 5 a unit: 85 minor units, then 15. */
const UNITS = [15, 1] as const
const CURRENCY = 'USD'

export type WithstoodOptions = {
  readonly system: System
  readonly state: StateFolder
  readonly transcript: Transcript
  readonly task: Task
  /** As the operator. */
  readonly billing: AgentClient<BillingRouter>
  readonly research: AgentClient<ResearchRouter>
  /** A job of the operator's, and the statement that it stands on. */
  readonly jobId: string
  readonly statementId: string
}

/** Tries each. Rejects with `DemoError` when one of them gets through. */
export async function showWithstood(options: WithstoodOptions): Promise<void> {
  options.transcript({ type: 'chapter', title: 'What it withstands' })
  await askAboutUntrusted(options)
  await using own = openBillingAsResearch(options, options.task)
  await reachQuota(options, own)
  await replay(options, own)
  await crossTenants(options)
}

/** A document that tells its readers what to do: it is quoted, and not obeyed. */
async function askAboutUntrusted({ research, transcript }: WithstoodOptions): Promise<void> {
  const brief = await research.research.answer.mutate({ question: UNTRUSTED_QUESTION })
  const note = brief.notes.find(({ kind }) => kind === 'instruction_in_document')
  if (note?.kind !== 'instruction_in_document') {
    throw new DemoError(`nobody noticed the instruction in ${UNTRUSTED_FILE}`)
  }
  const called = brief.calls.map(({ procedure }) => procedure)
  transcript({
    type: 'withstood',
    attack: `a document that gives orders: “${note.text}”`,
    reason: 'not_obeyed',
    message: `${note.citation.file}:${String(note.citation.startLine)} is noted on the brief; research called ${[...new Set(called)].join(', ')} and nothing else`,
  })
}

/** Holds as much as the task may have a day, and then more. */
async function reachQuota(
  { billing, task, transcript }: WithstoodOptions,
  own: AgentClient<BillingRouter>,
): Promise<void> {
  const { nextCursor } = await billing.quotas.events.query({ limit: 500 })
  const { quotaId } = await billing.quotas.set.mutate({
    scope: { kind: 'grant', grantId: task.grantId },
    measure: { kind: 'money', currency: CURRENCY },
    period: 'day',
    cap: QUOTA_MINOR,
    reason: 'the demo: refuse what is beyond',
    idempotencyKey: randomUUID(),
  })
  transcript({
    type: 'note',
    text: 'The operator lets the task hold 1.00 USD a day. It holds 0.85, and then 0.15:',
  })
  const holdIds: string[] = []
  for (const units of UNITS) {
    const { quoteId } = await quoteUnits(own, units)
    const hold = { quoteId, reference: 'within-the-quota', idempotencyKey: randomUUID() }
    holdIds.push((await own.billing.hold.mutate(hold)).holdId)
  }
  const { events } = await billing.quotas.events.query({ cursor: nextCursor })
  for (const { cap, spent, threshold } of events.filter((event) => event.quotaId === quotaId)) {
    transcript({ type: 'quotaEvent', percent: threshold, spent, cap })
  }
  const { quoteId } = await quoteUnits(own, 1)
  await refused(
    transcript,
    'one more hold, when a task has held what it may have in a day',
    own.billing.hold.mutate({ quoteId, reference: 'beyond', idempotencyKey: randomUUID() }),
  )
  for (const holdId of holdIds) {
    await own.billing.release.mutate({ holdId, idempotencyKey: randomUUID() })
  }
}

/** The same call twice is one hold; another call under its key is none. */
async function replay(
  { transcript }: WithstoodOptions,
  own: AgentClient<BillingRouter>,
): Promise<void> {
  const idempotencyKey = randomUUID()
  const [first, other] = [await quoteUnits(own, 1), await quoteUnits(own, 2)]
  const input = { quoteId: first.quoteId, reference: 'sent-twice', idempotencyKey }
  const [{ holdId }, again] = [
    await own.billing.hold.mutate(input),
    await own.billing.hold.mutate(input),
  ]
  if (again.holdId !== holdId) throw new DemoError('a call that was sent twice was done twice')
  transcript({
    type: 'withstood',
    attack: 'the same hold sent twice',
    reason: 'answered_again',
    message: `both answers name the hold ${holdId.slice(0, 8)}…, and it is held once`,
  })
  await refused(
    transcript,
    'another hold under the same idempotency key',
    own.billing.hold.mutate({ ...input, quoteId: other.quoteId }),
  )
  await own.billing.release.mutate({ holdId, idempotencyKey: randomUUID() })
}

/** Others ask for what they know the ids of: an agent of another organisation, and one that has an account of its own. */
async function crossTenants(options: WithstoodOptions): Promise<void> {
  const { jobId, state, statementId, system, transcript } = options
  const rival = await enrollRival(system.issuer, state)
  await using research = createAgentClient<ResearchRouter>({
    url: system.researchUrl,
    credentials: toCredentials(system, rival),
    audience: RESEARCH_AGENT_ID,
    scopes: ['research:read'],
  })
  await refused(
    transcript,
    `${RIVAL_ID}, of another organisation, reads the trace of the job`,
    research.research.trace.query({ jobId }),
  )
  const visitor = state.readCredentials(VISITOR_ID)
  if (visitor === undefined) throw new DemoError(`${VISITOR_ID} has no credentials file`)
  await using billing = createAgentClient<BillingRouter>({
    url: system.billingUrl,
    credentials: toCredentials(system, visitor),
    audience: BILLING_AGENT_ID,
    scopes: ['billing:read'],
  })
  await refused(
    transcript,
    `${VISITOR_ID}, which may read its own account, reads the invoice for the job`,
    billing.billing.invoice.query({ statementId }),
  )
}

function toCredentials(
  { issuer }: System,
  { client_id: clientId, client_secret: secret }: Awaited<ReturnType<typeof enrollRival>>,
) {
  return clientSecret({ issuer, clientId, clientSecret: secret })
}

async function refused(
  transcript: Transcript,
  attack: string,
  call: Promise<unknown>,
): Promise<void> {
  const refusal = await call.then(
    () => undefined,
    (error: unknown) => toClientError(error),
  )
  if (refusal === undefined) throw new DemoError(`this was not refused: ${attack}`)
  transcript({ type: 'withstood', attack, reason: refusal.code, message: refusal.message })
}
