// The research service over a folder of its own and a database in memory, with a billing agent that
// the test decides about.
import type { Principal } from '@deputy/auth'
import { accept, refuse } from '@deputy/auth/protocol'
import type { CallRefusal } from '@deputy/auth/trpc'
import type { Call } from '@deputy/contracts/call'
import { createLogger, type Logger } from '@deputy/serve'
import { mkdir } from 'node:fs/promises'
import { writeFiles } from '../../../test/support/documents.ts'
import { createSettableClock } from '../../../test/support/settable-clock.ts'
import { createTemporaryFolder } from '../../../test/support/temporary-folder.ts'
import type { BillingFailure, BillingGateway } from '../src/billing/billing-gateway.ts'
import { openLibrary } from '../src/documents/library.ts'
import { createResearchService } from '../src/research-service.ts'
import { openStorage } from '../src/storage/open-storage.ts'

export const ALICE = 'agent-alice-v1'
export const BOB = 'agent-bob-v1'
export const BILLING = 'agent-billing-v2'

/** A call by an agent, in its own name or in another's. */
export function callBy(agentId: string, subject = agentId): Call {
  const principal: Principal = {
    agentId,
    subject,
    audience: 'agent-research-v1',
    scopes: [],
    priorActors: [],
    expiresAt: undefined,
    credential: { kind: 'access_token', id: 'token-1' },
  }
  return { principal, signal: undefined }
}

/** What a call was refused with; throws when it was not. */
export async function refusalOf(
  call: Promise<unknown>,
): Promise<{ reason: string; message: string }> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown as CallRefusal,
  )
  if (error === undefined) throw new Error('the call was not refused')
  return { reason: error.reason, message: error.message }
}

export type Step = 'quote' | 'hold' | 'capture' | 'release'

/** A billing agent that notes what it is asked, and fails the steps that the test names. */
export function createFakeBilling() {
  const acts: string[] = []
  const failures = new Map<Step, BillingFailure[]>()
  const gateway: BillingGateway = (jobId) => {
    const act = async <Value>(step: Step, detail: string, value: Value) => {
      acts.push(`${step} ${detail}`)
      await Promise.resolve()
      const failure = failures.get(step)?.shift()
      return failure === undefined ? accept(value) : refuse(failure)
    }
    const hold = {
      holdId: `hold-of-${jobId}`,
      quoteId: 'quote-1',
      reference: jobId,
      state: 'held',
      amount: { amountMinor: 100, currency: 'USD' },
      capturedMinor: 0,
      expiresAt: 0,
    } as const
    return {
      calls: [],
      quote: async (units) =>
        act('quote', String(units), {
          quoteId: 'quote-1',
          service: 'research.brief',
          units,
          baseMinor: 10,
          unitPriceMinor: 5,
          amount: { amountMinor: 10 + 5 * units, currency: 'USD' },
          priceBookVersion: 'test',
          expiresAt: 0,
        } as const),
      hold: async () => act('hold', '', hold),
      capture: async (_holdId, amountMinor) => act('capture', String(amountMinor), hold),
      release: async () => act('release', '', hold),
    }
  }
  return { gateway, acts, failures }
}

export const silent: Logger = createLogger({ name: 'test', level: 'silent' })

/** Starts a world over these files. */
export async function createResearchWorld(files: Record<string, string>) {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  await mkdir(folder.file('documents'))
  await writeFiles(folder.file('documents'), files)
  const storage = stack.use(await openStorage(':memory:'))
  const clock = createSettableClock()
  const billing = createFakeBilling()
  const library = openLibrary(storage.documents, folder.file('documents'), silent)
  await library.whenIndexed()
  const deps = { jobs: storage.jobs, library, billing: billing.gateway, clock, logger: silent }
  const resources = stack.move()
  return {
    service: createResearchService(deps),
    deps,
    storage,
    clock,
    billing,
    documents: folder.file('documents'),
    ask: async (question: string, agentId = ALICE, idempotencyKey?: string) =>
      createResearchService(deps).ask(callBy(agentId), {
        question,
        maxSentences: 5,
        idempotencyKey,
      }),
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}
