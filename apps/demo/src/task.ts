// The authority for the work: opened before it, looked at after it, and ended by one act.
import {
  clientSecret,
  createAgentClient,
  taskGrant,
  toClientError,
  type AgentClient,
} from '@deputy/client'
import { BILLING_AGENT_ID, type BillingRouter } from '@deputy/contracts/billing'
import { RESEARCH_AGENT_ID } from '@deputy/contracts/research'
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import { requestToken } from './attempts.ts'
import { DemoError } from './demo-error.ts'
import { createAdminClient, OPERATOR_ID } from './enroll.ts'
import type { StateFolder } from './state-folder.ts'
import type { System } from './system.ts'
import type { ChainHop, Task, Transcript } from './transcript.ts'

const BUDGET = { type: 'budget', currency: 'USD', amount: '5.00' } as const
const SCOPES = ['billing:read', 'billing:write']
const TTL_SECONDS = 600

/** How long an agent may take to refuse before the demo says that something is wrong. */
const PATIENCE_MS = 10_000

export type TaskOptions = {
  readonly system: System
  readonly state: StateFolder
  readonly question: string
  readonly transcript: Transcript
}

/** The operator opens a task grant for research. */
export async function openTask(options: TaskOptions): Promise<Task> {
  const { question, state, system, transcript } = options
  await using admin = createAdminClient(system.issuer, state)
  const { id: grantId } = await admin.taskGrants.open.mutate({
    agentId: RESEARCH_AGENT_ID,
    purpose: question,
    scopes: SCOPES,
    audiences: [RESEARCH_AGENT_ID, BILLING_AGENT_ID],
    ttlSeconds: TTL_SECONDS,
    limits: [BUDGET],
  })
  const task = {
    grantId,
    agentId: RESEARCH_AGENT_ID,
    scopes: SCOPES,
    budget: `${BUDGET.amount} ${BUDGET.currency}`,
    ttlSeconds: TTL_SECONDS,
  }
  transcript({ type: 'task', ...task })
  return task
}

/** Draws who acted with whose authority: below the task, and where billing acted for the operator. */
export async function showChains(options: TaskOptions, task: Task): Promise<void> {
  const { state, system, transcript } = options
  await using admin = createAdminClient(system.issuer, state)
  transcript({ type: 'chapter', title: 'Whose authority it was' })
  const { below } = await admin.taskGrants.get.query({ grantId: task.grantId })
  const { entries } = await admin.audit.list.query({
    event: 'token.exchanged',
    actorId: BILLING_AGENT_ID,
    subjectId: OPERATOR_ID,
    limit: 1,
  })
  const tokenIds = [below.at(-1)?.id, entries[0]?.tokenId]
  for (const tokenId of tokenIds) {
    if (tokenId === undefined) continue
    const { chain } = await admin.explain.mutate({ tokenId })
    if (chain === undefined) throw new DemoError(`nothing explains the token ${tokenId}`)
    const hops: readonly ChainHop[] = chain.hops.map((hop, depth) => ({ ...hop, depth }))
    transcript({ type: 'chain', subjectId: chain.subjectId, hops })
  }
}

/**
 * Leaves money held, looks at what a revocation would end, revokes, and waits until each agent refuses.
 * Rejects with `DemoError` when one does not.
 */
export async function endTask(options: TaskOptions, task: Task): Promise<void> {
  const { state, system, transcript } = options
  const { grantId } = task
  await using admin = createAdminClient(system.issuer, state)
  await using billing = openBilling(options, ['billing:audit', 'billing:read', 'billing:release'])
  transcript({ type: 'chapter', title: 'One act ends all of it' })
  await leaveHeld(options, task)
  await overspend(options, task)
  const tokens = await Promise.all(
    [BILLING_AGENT_ID, RESEARCH_AGENT_ID].map(async (audience) => {
      const { token } = await requestToken(system.issuer, state, {
        agentId: RESEARCH_AGENT_ID,
        audience,
        authorization_details: JSON.stringify([{ type: 'task_grant', identifier: grantId }]),
      })
      return { agentId: audience, token }
    }),
  )
  const preview = await admin.revocations.preview.query({ kind: 'grant', grantId })
  const { currency, heldMinor } = await billing.billing.budget.query({ identifier: grantId })
  transcript({ type: 'preview', ...preview, currency, heldMinor })

  await admin.taskGrants.revoke.mutate({ grantId })
  const answeredMs = performance.now()
  await Promise.all(
    tokens.map(async ({ agentId, token }) => {
      // Research's own procedures are beyond the task's scopes: 403, until nothing of it is taken.
      const url =
        agentId === BILLING_AGENT_ID
          ? `${system.billingUrl}/trpc/billing.balance`
          : `${system.researchUrl}/trpc/conversations.list`
      const reason = await askUntilRefused(url, token)
      transcript({ type: 'noticed', agentId, reason, afterMs: performance.now() - answeredMs })
    }),
  )
  const { released } = await billing.billing.releaseGrant.mutate({
    grantId,
    idempotencyKey: randomUUID(),
  })
  for (const { amount, reference } of released)
    transcript({ type: 'released', reference, ...amount })
}

/** Holds money as research, under the task, for work that will not be done any more. */
async function leaveHeld(options: TaskOptions, task: Task): Promise<void> {
  await using billing = openBillingAsResearch(options, task)
  const { quoteId } = await quoteUnits(billing, 5)
  await billing.billing.hold.mutate({
    quoteId,
    reference: 'work-in-progress',
    idempotencyKey: randomUUID(),
  })
}

/** Tries to hold more than the task may spend, though the account has the money. */
async function overspend(options: TaskOptions, task: Task): Promise<void> {
  await using billing = openBillingAsResearch(options, task)
  const { quoteId } = await quoteUnits(billing, 100)
  options.transcript({
    type: 'note',
    text: `The task may spend ${BUDGET.amount} ${BUDGET.currency}. Holding 5.10 more for it is refused, though the account has the money:`,
  })
  const startedMs = performance.now()
  const hold = billing.billing.hold.mutate({
    quoteId,
    reference: 'too-much-work',
    idempotencyKey: randomUUID(),
  })
  const outcome = await hold.then(
    () => 'ok',
    (error: unknown) => toClientError(error).code,
  )
  options.transcript({
    type: 'call',
    depth: 0,
    from: RESEARCH_AGENT_ID,
    to: BILLING_AGENT_ID,
    procedure: 'billing.hold',
    scopes: ['billing:write'],
    outcome,
    durationMs: performance.now() - startedMs,
  })
  if (outcome === 'ok') throw new DemoError('billing held more than the task may spend')
}

/** A quote for so many sentences. */
export async function quoteUnits(billing: AgentClient<BillingRouter>, units: number) {
  const idempotencyKey = randomUUID()
  return billing.billing.quote.mutate({ service: 'research.brief', units, idempotencyKey })
}

/** Billing, as research under the task. */
export function openBillingAsResearch(
  { state, system }: Pick<TaskOptions, 'state' | 'system'>,
  task: Task,
) {
  const research = readCredentials(state, RESEARCH_AGENT_ID)
  return createAgentClient<BillingRouter>({
    url: system.billingUrl,
    credentials: taskGrant(
      task.grantId,
      clientSecret({
        issuer: system.issuer,
        clientId: research.client_id,
        clientSecret: research.client_secret,
      }),
    ),
    audience: BILLING_AGENT_ID,
    scopes: ['billing:write'],
  })
}

function openBilling({ state, system }: TaskOptions, scopes: readonly string[]) {
  const operator = readCredentials(state, OPERATOR_ID)
  return createAgentClient<BillingRouter>({
    url: system.billingUrl,
    credentials: clientSecret({
      issuer: system.issuer,
      clientId: operator.client_id,
      clientSecret: operator.client_secret,
    }),
    audience: BILLING_AGENT_ID,
    scopes,
  })
}

function readCredentials(state: StateFolder, agentId: string) {
  const credentials = state.readCredentials(agentId)
  if (credentials === undefined) throw new DemoError(`${agentId} has no credentials file`)
  return credentials
}

const Refusal = z.object({ error: z.object({ data: z.object({ reason: z.string() }) }) })

/** Calls with the token until it is not taken any more, and answers the reason. */
async function askUntilRefused(url: string, token: string): Promise<string> {
  const giveUpMs = performance.now() + PATIENCE_MS
  while (performance.now() < giveUpMs) {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${token}` },
    })
    const body = Refusal.safeParse(await response.json())
    if (response.status === 401) return body.data?.error.data.reason ?? 'refused'
    await delay(1)
  }
  throw new DemoError(`${url} still takes a token that was revoked`)
}
