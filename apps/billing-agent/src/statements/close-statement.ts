// Closes an account's statement: all captures since the last one, each with evidence from the agent
// that did the work. Evidence is fetched outside of any transaction; the lines are written in one, less
// those that another statement took in the meantime. Of many captures it takes the oldest: the agent that has the
// evidence answers a caller so many times a minute, and a statement of thousands would outlast its caller's patience.
import {
  ClosedStatement,
  UsageLine,
  type CloseStatementInput,
  type StatementLine,
} from '@deputy/contracts/billing'
import type { Call, CallRecord } from '@deputy/contracts/call'
import { createId } from '@deputy/storage'
import type { HoldRecord } from '../holds/hold-store.ts'
import { findAnswer } from '../idempotency/run-once.ts'
import { availableAccount } from '../ledger/posting.ts'
import { operatedOwner } from '../owners/owner.ts'
import type { ReceiptSource } from '../receipts/receipt-source.ts'
import { refuseCall } from '../refusals.ts'
import type { ServiceDeps } from '../service-deps.ts'
import { billUsage } from '../usage/bill-usage.ts'
import { chargeUsage } from '../usage/charge-usage.ts'
import { checkEvidence } from './check-evidence.ts'

/** How many receipts are asked for at the same time. */
const PARALLEL_RECEIPTS = 8

/** Captures on one statement: half of what the standard tier lets a caller ask for at once. */
export const MAX_LINES = 500

/** `billing.closeStatement`: nothing is closed unless every line has evidence. */
export async function closeStatement(
  deps: ServiceDeps,
  call: Call,
  input: CloseStatementInput,
): Promise<ClosedStatement> {
  const { clock, receipts, runOnce, storage } = deps
  const { principal } = call
  const { account, currency } = input
  const ownerId = operatedOwner(principal, input.ownerId)
  const holder = { ownerId, agentId: account }
  const once = {
    principal,
    procedure: 'billing.closeStatement',
    input,
    output: ClosedStatement,
  }
  const before = await storage.transaction(async (transaction) => {
    const answer = await findAnswer(transaction, once)
    if (answer !== undefined) return { answer }
    // The first deposit opens it: an account that was never paid into cannot have held anything.
    if (!(await transaction.ledger.hasAccount(availableAccount(holder), currency))) {
      throw refuseCall('account_unknown', `${account} has no account in ${currency}`)
    }
    return { holds: await transaction.holds.listUnbilled(holder, currency) }
  })
  if (before.answer !== undefined) return before.answer
  const calls: CallRecord[] = []
  const evidenced = await gatherEvidence(
    async (reference, holdId) => receipts(reference, call, holdId),
    before.holds.slice(0, MAX_LINES),
    calls,
  )

  return runOnce(once, async (transaction) => {
    const { holds, statements } = transaction
    const closedAt = clock.now()
    // A close that ran beside this one may have taken lines: what is left of ours is still right.
    const open = new Set((await holds.listUnbilled(holder, currency)).map(({ holdId }) => holdId))
    const lines = evidenced.filter(({ holdId }) => open.has(holdId))
    for (const { holdId } of lines) open.delete(holdId)
    // What was given back of a capture that waits for the next statement waits with it.
    const credits = (await statements.listUncredited(holder, currency)).filter(
      ({ holdId }) => !open.has(holdId),
    )
    const statementId = createId(closedAt)
    const usage = await billUsage(transaction, holder, { currency, now: closedAt })
    await chargeUsage(transaction, { call, holder, statementId, currency, closedAt, usage })
    const statement = {
      statementId,
      number: await statements.nextNumber(ownerId),
      ownerId,
      account,
      currency,
      lines,
      credits,
      usage,
      totalMinor: sumOf(lines) + sumOf(usage) - sumOf(credits),
      closedAt,
    }
    await statements.insert(statement)
    const isComplete = before.holds.length <= MAX_LINES
    return { ...statement, usage: usage.map((line) => UsageLine.parse(line)), calls, isComplete }
  })
}

const sumOf = (lines: readonly { readonly amountMinor: number }[]): number =>
  lines.reduce((total, { amountMinor }) => total + amountMinor, 0)

type AskForReceipt = (reference: string, holdId: string) => ReturnType<ReceiptSource>

async function gatherEvidence(
  receipts: AskForReceipt,
  holds: readonly HoldRecord[],
  calls: CallRecord[],
): Promise<readonly StatementLine[]> {
  const lines: StatementLine[] = []
  for (let from = 0; from < holds.length; from += PARALLEL_RECEIPTS) {
    const batch = holds.slice(from, from + PARALLEL_RECEIPTS)
    lines.push(...(await Promise.all(batch.map(async (hold) => toLine(receipts, hold, calls)))))
  }
  return lines
}

async function toLine(
  receipts: AskForReceipt,
  hold: HoldRecord,
  calls: CallRecord[],
): Promise<StatementLine> {
  const answer = await receipts(hold.reference, hold.holdId)
  calls.push(answer.call)
  if (!answer.ok) {
    const message = `No receipt for ${hold.reference}: ${answer.reason}: ${answer.message}`
    throw refuseCall('evidence_unavailable', message)
  }
  const line = checkEvidence(hold, answer.receipt)
  if (line.ok) return line.value
  const message = `The receipt for ${hold.reference} does not fit its capture: ${line.refusal.detail}`
  throw refuseCall('evidence_mismatch', message)
}
