// Does an act once per idempotency key. The key is claimed in the act's own transaction, so a crash
// leaves both or neither, and of parallel calls with one key one does the work.
import type { Clock } from '@deputy/auth/protocol'
import { createHash } from 'node:crypto'
import type * as z from 'zod'
import { refuseCall } from '../refusals.ts'
import type { BillingStorage, BillingTransaction } from '../storage/open-storage.ts'

export type OnceOptions<Answer> = {
  readonly agentId: string
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
 * Creates the runner. The same key and body get the first answer again; another body or procedure
 * under the same key is refused with `idempotency_conflict`. An act that was refused claims nothing.
 */
export function createRunOnce(storage: BillingStorage, clock: Clock): RunOnce {
  return async ({ agentId, input, output, procedure }, work) =>
    storage.transaction(async (transaction) => {
      const known = await findAnswer(transaction, { agentId, input, output, procedure })
      if (known !== undefined) return known
      const answer = await work(transaction)
      await transaction.answers.insert(
        { agentId, key: input.idempotencyKey, createdAt: clock.now() },
        { procedure, bodySha256: hashBody(input), answer: JSON.stringify(answer) },
      )
      return answer
    })
}

/** The answer that was given under this key, or `undefined`. Throws `idempotency_conflict`. */
export async function findAnswer<Answer>(
  { answers }: Pick<BillingTransaction, 'answers'>,
  { agentId, input, output, procedure }: OnceOptions<Answer>,
): Promise<Answer | undefined> {
  const known = await answers.find(agentId, input.idempotencyKey)
  if (known === undefined) return undefined
  if (known.procedure !== procedure || known.bodySha256 !== hashBody(input)) {
    const message = `The idempotency key was used before, for another ${known.procedure} call`
    throw refuseCall('idempotency_conflict', message)
  }
  return output.parse(JSON.parse(known.answer))
}

/** Inputs come out of zod with their members in the order of the schema, so equal ones hash alike. */
function hashBody(input: object): string {
  return createHash('sha256').update(JSON.stringify(input)).digest('hex')
}
