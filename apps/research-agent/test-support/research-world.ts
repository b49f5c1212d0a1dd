// The research service over a folder of its own and a database in memory, with a billing agent that
// the test decides about.
import type { Principal } from '@deputy/auth'
import { accept, refuse, type Result } from '@deputy/auth/protocol'
import type { CallRefusal } from '@deputy/auth/trpc'
import type { Call, CallRecord } from '@deputy/contracts/call'
import { mkdir } from 'node:fs/promises'
import { writeFiles } from '../../../test/support/documents.ts'
import { createSettableClock } from '../../../test/support/settable-clock.ts'
import { createTemporaryFolder } from '../../../test/support/temporary-folder.ts'
import type { BillingFailure, BillingGateway } from '../src/billing/billing-gateway.ts'
import { openLibrary } from '../src/documents/library.ts'
import { LEASE_SECONDS } from '../src/jobs/lease.ts'
import type { WorkDeps } from '../src/jobs/work-on-job.ts'
import { DEFAULT_LIMITS } from '../src/loop/limits.ts'
import { openPlanner } from '../src/models/open-planner.ts'
import { createResearchService } from '../src/research-service.ts'
import { openStorage } from '../src/storage/open-storage.ts'
import { parseInProcess } from './parse-in-process.ts'
import { silent } from './silent-logger.ts'

export const ALICE = 'agent-alice-v1'
export const BOB = 'agent-bob-v1'
export const BILLING = 'agent-billing-v2'

/** A call by an agent, in its own name or in another's. */
export function callBy(agentId: string, subject = agentId): Call {
  const principal: Principal = {
    agentId,
    subject,
    audience: 'agent-research-v1',
    scopes: ['research:write'],
    priorActors: [],
    expiresAt: undefined,
    grantPath: ['token-1'],
    limits: [],
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

const refusedBecause = (reason: string): BillingFailure => ({
  kind: 'refused',
  reason,
  message: reason,
  hint: '',
})
const ENDED = {
  captured: refusedBecause('hold_captured'),
  released: refusedBecause('hold_released'),
}
const UNKNOWN = refusedBecause('hold_unknown')

/** The call does not reach billing. */
export const DOWN: BillingFailure = {
  kind: 'unavailable',
  reason: 'network_error',
  message: 'fetch failed',
  hint: '',
}
/** Billing does what it is asked, and its answer does not arrive. */
export const ANSWER_LOST: BillingFailure = { ...DOWN, message: 'socket hang up' }

const CALL = {
  from: 'agent-research-v1',
  to: BILLING,
  scopes: ['billing:write'],
  durationMs: 1,
}

/** A billing agent that notes what it is asked, and fails the steps that the test names. */
export function createFakeBilling() {
  const acts: string[] = []
  const holds = new Map<string, 'held' | 'captured' | 'released'>()
  const failures = new Map<Step, BillingFailure[]>()
  const gateway: BillingGateway = (jobId) => {
    const holdId = `hold-of-${jobId}`
    const calls: CallRecord[] = []
    const act = async <Value>(
      step: Step,
      detail: string,
      carryOut: () => Result<Value, BillingFailure>,
    ) => {
      acts.push(`${step} ${detail}`.trim())
      await Promise.resolve()
      const failure = failures.get(step)?.shift()
      if (failure === ANSWER_LOST) carryOut()
      const result = failure === undefined ? carryOut() : refuse(failure)
      const outcome = result.ok ? 'ok' : result.refusal.reason
      calls.push({ ...CALL, procedure: `billing.${step}`, outcome })
      return result
    }
    const end = (state: 'captured' | 'released') => {
      const before = holds.get(holdId)
      if (before === undefined) return refuse(UNKNOWN)
      if (before !== 'held' && before !== state) return refuse(ENDED[before])
      holds.set(holdId, state)
      return accept({ ...hold, state })
    }
    const hold = {
      holdId,
      quoteId: 'quote-1',
      reference: jobId,
      state: 'held',
      amount: { amountMinor: 100, currency: 'USD' },
      capturedMinor: 0,
      expiresAt: 0,
    } as const
    return {
      calls,
      quote: async (units) =>
        act('quote', String(units), () =>
          accept({
            quoteId: 'quote-1',
            service: 'research.brief',
            units,
            baseMinor: 10,
            unitPriceMinor: 5,
            amount: { amountMinor: 10 + 5 * units, currency: 'USD' },
            priceBookVersion: 'test',
            expiresAt: 0,
          } as const),
        ),
      hold: async () =>
        act('hold', '', () => {
          if (!holds.has(holdId)) holds.set(holdId, 'held')
          return accept(hold)
        }),
      capture: async (_holdId, amountMinor) =>
        act('capture', String(amountMinor), () => end('captured')),
      release: async () => act('release', '', () => end('released')),
    }
  }
  return { gateway, acts, failures, holds }
}

export type ResearchWorldOptions = Partial<Pick<WorkDeps, 'planner' | 'logger' | 'limits'>> & {
  /** Default: in memory. */
  readonly databaseFile?: string
  /** Default: one of its own. */
  readonly billing?: ReturnType<typeof createFakeBilling>
}

/** Starts a world over these files. */
export async function createResearchWorld(
  files: Record<string, string | Uint8Array>,
  { databaseFile = ':memory:', billing = createFakeBilling(), ...more }: ResearchWorldOptions = {},
) {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  await mkdir(folder.file('documents'))
  await writeFiles(folder.file('documents'), files)
  const storage = stack.use(await openStorage(databaseFile))
  const clock = createSettableClock()
  const library = stack.use(
    openLibrary(storage.documents, [{ path: folder.file('documents'), prefix: '' }], {
      logger: silent,
      parser: parseInProcess,
    }),
  )
  await library.whenIndexed()
  const deps: WorkDeps = {
    jobs: storage.jobs,
    traces: storage.traces,
    library,
    billing: billing.gateway,
    openBillingFor: () => undefined,
    planner: openPlanner(undefined),
    limits: DEFAULT_LIMITS,
    nowMs: () => performance.now(),
    clock,
    leaseSeconds: LEASE_SECONDS,
    resumeSeconds: 600,
    logger: silent,
    ...more,
  }
  const service = createResearchService(deps)
  const resources = stack.move()
  return {
    service,
    /** The service as another process would have it: the database is the same. */
    restart: () => createResearchService(deps),
    deps,
    storage,
    clock,
    billing,
    documents: folder.file('documents'),
    ask: async (question: string, agentId = ALICE, idempotencyKey?: string) =>
      service.answer(callBy(agentId), {
        question,
        maxSentences: 5,
        idempotencyKey,
      }),
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

export type ResearchWorld = Awaited<ReturnType<typeof createResearchWorld>>
