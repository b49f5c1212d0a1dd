// Does an act once per idempotency key. The key is claimed in the act's own transaction, so a crash
// leaves both or neither, and of parallel calls with one key one does the work.
import type { Principal } from '@deputy/auth'
import type { Clock } from '@deputy/auth/protocol'
import { createHash } from 'node:crypto'
import type * as z from 'zod'
import { measureOperation } from '../metrics/billing-metrics.ts'
import { refuseCall } from '../refusals.ts'
import type { BillingStorage, BillingTransaction } from '../storage/open-storage.ts'

export type OnceOptions<Answer> = {
  /** Whose key it is: each agent has its own. */
  readonly principal: Pick<Principal, 'agentId' | 'subject'>
  readonly procedure: string
  /** The call's input, `idempotencyKey` included. */
  readonly input: { readonly idempotencyKey: string }
  readonly output: z.ZodType<Answer>
}

/** Runs acts of the one storage, each once. */
export type RunOnce = <Answer>(
  options: OnceOptions<Answer>,
  work: (transaction: BillingTransaction) => Promise<Answer>,
) => Promise<Answer>

/**
 * Creates the runner. The same key and body get the first answer again; another body, procedure or
 * subject under the same key is refused with `idempotency_conflict`. An act that was refused claims
 * nothing.
 */
export function createRunOnce(storage: BillingStorage, clock: Clock): RunOnce {
  return async (options, work) =>
    measureOperation(options.procedure, async (note) =>
      storage.transaction(async (transaction) => {
        const { input, principal, procedure } = options
        const by = {
          agentId: principal.agentId,
          key: input.idempotencyKey,
          createdAt: clock.now(),
        }
        const bodySha256 = hashBody(principal, input)
        if (!(await transaction.answers.claim(by, { procedure, bodySha256 }))) {
          const known = await findAnswer(transaction, options)
          if (known === undefined) throw new TypeError('a key was claimed and never answered')
          note('replayed')
          return known
        }
        const answer = await work(transaction)
        await transaction.answers.keep(by, JSON.stringify(answer))
        return answer
      }),
    )
}

/** How long answers are kept: a key that comes back later is a new one. */
export const ANSWER_TTL_SECONDS = 30 * 24 * 60 * 60

/** Answers that one transaction forgets: few enough that calls do not wait for it. */
const PRUNE_BATCH_SIZE = 1000

/** Forgets the answers that are old enough. Answers how many. */
export async function pruneAnswers(storage: BillingStorage, clock: Clock): Promise<number> {
  const before = clock.now() - ANSWER_TTL_SECONDS
  for (let total = 0; ;) {
    const forgotten = await storage.transaction(async ({ answers }) =>
      answers.prune(before, PRUNE_BATCH_SIZE),
    )
    total += forgotten
    if (forgotten < PRUNE_BATCH_SIZE) return total
  }
}

/** The answer that was given under this key, or `undefined`. Throws `idempotency_conflict`. */
export async function findAnswer<Answer>(
  { answers }: Pick<BillingTransaction, 'answers'>,
  { input, output, principal, procedure }: OnceOptions<Answer>,
): Promise<Answer | undefined> {
  const known = await answers.find(principal.agentId, input.idempotencyKey)
  if (known === undefined) return undefined
  if (known.procedure !== procedure || known.bodySha256 !== hashBody(principal, input)) {
    const message = `The idempotency key was used before, for another ${known.procedure} call`
    throw refuseCall('idempotency_conflict', message)
  }
  return output.parse(JSON.parse(known.answer))
}

/**
 * Inputs come out of zod with their members in the order of the schema, so equal ones hash alike. The
 * subject is part of it: an agent that works for several must not get the answer of one for another.
 */
function hashBody({ subject }: OnceOptions<unknown>['principal'], input: object): string {
  return createHash('sha256')
    .update(JSON.stringify([subject, input]))
    .digest('hex')
}
