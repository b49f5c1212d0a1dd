// Does an act once per idempotency key. The key is claimed in the act's own transaction, so a crash
// leaves both or neither, and of parallel calls with one key one does the work.
import type { Principal } from '@deputy/auth'
import type { Clock } from '@deputy/auth/protocol'
import { createHash } from 'node:crypto'
import type * as z from 'zod'
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
    storage.transaction(async (transaction) => {
      const known = await findAnswer(transaction, options)
      if (known !== undefined) return known
      const answer = await work(transaction)
      const { input, principal, procedure } = options
      await transaction.answers.insert(
        { agentId: principal.agentId, key: input.idempotencyKey, createdAt: clock.now() },
        { procedure, bodySha256: hashBody(principal, input), answer: JSON.stringify(answer) },
      )
      return answer
    })
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
