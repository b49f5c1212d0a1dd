// The billing service over a database in memory, with a clock that stands still, callers that are made
// up, and receipts that the test decides about.
import type { Principal } from '@deputy/auth'
import type { CallRefusal } from '@deputy/auth/trpc'
import type { Call } from '@deputy/contracts/call'
import type { Receipt } from '@deputy/contracts/research'
import { createSettableClock } from '../../../test/support/settable-clock.ts'
import { createBillingService } from '../src/billing-service.ts'
import type { ReceiptAnswer } from '../src/receipts/receipt-source.ts'
import type { DatabaseLocation } from '@deputy/storage'
import { verifyLedger } from '../src/verify/verify-ledger.ts'
import { openStorage } from '../src/storage/open-storage.ts'

export const ALICE = 'agent-alice-v1'
export const BOB = 'agent-bob-v1'
export const USD = 'USD'

/** A call by an agent in its own name. */
export function callBy(agentId: string, credentialId = `token-of-${agentId}`): Call {
  const principal: Principal = {
    agentId,
    subject: agentId,
    ownerId: 'system',
    audience: 'agent-billing-v2',
    scopes: [],
    priorActors: [],
    expiresAt: undefined,
    grantPath: [credentialId],
    limits: [],
    credential: { kind: 'access_token', id: credentialId },
  }
  return { principal, signal: undefined }
}

/** A call by an agent with the authority of another one, as a delegated token has it. */
export function callOnBehalf(agentId: string, subject: string): Call {
  const call = callBy(agentId)
  return { ...call, principal: { ...call.principal, subject } }
}

/** A budget of a grant, as a token has it: `amount` in dollars. */
export function budgetOf(identifier: string, amount: string, currency = USD) {
  return { type: 'budget', currency, amount, identifier }
}

/** A call by alice with a token below these grants, and with these limits. */
export function callBelow(
  grantPath: readonly string[],
  ...limits: readonly Principal['limits'][number][]
): Call {
  const call = callBy(ALICE)
  return { ...call, principal: { ...call.principal, grantPath, limits: [...limits] } }
}

/** What a call was refused with; throws when it was not. */
export async function refusalOf(call: Promise<unknown>): Promise<{ reason: string; code: string }> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown as CallRefusal,
  )
  if (error === undefined) throw new Error('the call was not refused')
  return { reason: error.reason, code: error.code }
}

/** Starts a world. `receipts` decides what the research agent would say. */
export async function createBillingWorld(location: DatabaseLocation = { file: ':memory:' }) {
  const storage = await openStorage(location)
  const clock = createSettableClock()
  const asked: string[] = []
  const receipts = new Map<string, Receipt | { reason: string; message: string }>()
  const service = createBillingService({
    storage,
    clock,
    receipts: async (reference): Promise<ReceiptAnswer> => {
      asked.push(reference)
      const call = {
        from: 'agent-billing-v2',
        to: 'agent-research-v1',
        procedure: 'research.receipt',
        scopes: ['research:read'],
        outcome: 'ok',
        durationMs: 1,
      }
      const receipt = receipts.get(reference)
      if (receipt === undefined) throw new Error(`the test gave no receipt for ${reference}`)
      return 'jobId' in receipt ? { ok: true, receipt, call } : { ok: false, ...receipt, call }
    },
  })
  let keys = 0
  const key = (): string => `key-${String((keys += 1)).padStart(8, '0')}`
  return {
    storage,
    clock,
    service,
    receipts,
    asked,
    key,
    deposit: async (account: string, amountMinor: number) =>
      service.deposit(callBy('operator'), {
        account,
        amount: { amountMinor, currency: USD },
        idempotencyKey: key(),
      }),
    quote: async (agentId: string, units = 2) =>
      service.quote(callBy(agentId), { service: 'research.brief', units, idempotencyKey: key() }),
    /** A quote and a hold on it. */
    hold: async (agentId: string, reference = 'job-1', units = 2) => {
      const { quoteId } = await service.quote(callBy(agentId), {
        service: 'research.brief',
        units,
        idempotencyKey: key(),
      })
      return service.hold(callBy(agentId), { quoteId, reference, idempotencyKey: key() })
    },
    /** The same, by any call. */
    holdBy: async (call: Call, units = 2, reference = 'job-1') => {
      const input = { service: 'research.brief', units, idempotencyKey: key() } as const
      const { quoteId } = await service.quote(call, input)
      return service.hold(call, { quoteId, reference, idempotencyKey: key() })
    },
    balance: async (agentId: string) => service.balance(callBy(agentId), { currency: USD }),
    verify: async () => listFaults(await verifyLedger(storage, { entries: 'all' })),
    [Symbol.asyncDispose]: async () => storage.close(),
  }
}

/** The receipt that fits a capture. */
export function receiptFor(
  hold: { readonly holdId: string; readonly reference: string; readonly capturedMinor: number },
  changes: Partial<Receipt> = {},
): Receipt {
  return {
    jobId: hold.reference,
    holdId: hold.holdId,
    cost: { amountMinor: hold.capturedMinor, currency: USD },
    sentences: 2,
    documents: [{ file: 'a.md', sha256: 'f'.repeat(64) }],
    briefSha256: 'e'.repeat(64),
    completedAt: 1,
    ...changes,
  }
}

/** Nothing, in a sound book. */
function listFaults({ fault }: Awaited<ReturnType<typeof verifyLedger>>): readonly string[] {
  return fault === undefined ? [] : [`${fault.kind} ${fault.id}: ${fault.detail}`]
}
