// Calls as an agent makes them that cannot know whether its last call came through: again, with the same key, until there
// is an answer.
import { isDeepStrictEqual } from 'node:util'
import type { TortureRecord } from './record.ts'
import type { TortureServer } from './server.ts'
import * as z from 'zod'

const Success = z.object({ result: z.object({ data: z.unknown() }) })
const Failure = z.object({
  error: z.object({ message: z.string(), data: z.object({ reason: z.string() }) }),
})

/** What agents may be told while they get in each other's way. Anything else is a fault. */
const EXPECTED: ReadonlySet<string> = new Set([
  'account_unknown',
  'budget_exceeded',
  'hold_captured',
  'hold_expired',
  'hold_released',
  'insufficient_funds',
  'quota_exceeded',
  'quote_expired',
  'refund_exceeds_capture',
])

export type TortureCall<Output> = {
  readonly input: object
  readonly output: z.ZodType<Output>
  /** Sends it two times at once. */
  readonly twice?: boolean
  /** Whether both must get the same answer. Default: yes. */
  readonly isAnswerKept?: boolean
}

/** Calls a mutation. `undefined` when it was refused. */
export type Caller = <Output>(
  token: string,
  path: string,
  call: TortureCall<Output>,
) => Promise<Output | undefined>

/** Creates the caller. */
export function createTortureCaller(server: TortureServer, record: TortureRecord): Caller {
  async function send(token: string, path: string, input: object): Promise<unknown> {
    for (;;) {
      const url = await server.url()
      try {
        const response = await fetch(`${url}/trpc/${path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify(input),
        })
        const body: unknown = await response.json()
        // The database went with the process that asked it.
        if (response.status !== 503) return body
      } catch (error) {
        if (!(error instanceof TypeError)) throw error
      }
      record.retried += 1
      // The next one is up, or the kill is noticed: either way the event loop goes on.
      await new Promise(setImmediate)
    }
  }

  function read<Output>(
    path: string,
    body: unknown,
    output: z.ZodType<Output>,
  ): Output | undefined {
    const success = Success.safeParse(body)
    if (success.success) {
      record.acknowledged += 1
      return output.parse(success.data.result.data)
    }
    const { error } = Failure.parse(body)
    const { reason } = error.data
    if (!EXPECTED.has(reason)) record.faults.push(`${path}: ${reason}: ${error.message}`)
    record.refusals.set(reason, (record.refusals.get(reason) ?? 0) + 1)
    return undefined
  }

  return async (token, path, { input, isAnswerKept = true, output, twice = false }) => {
    const bodies = await Promise.all(
      Array.from({ length: twice ? 2 : 1 }, async () => send(token, path, input)),
    )
    const [first, second] = bodies
    const answer = read(path, first, output)
    if (second === undefined) return answer
    const again = Success.safeParse(second).success ? read(path, second, output) : undefined
    if (answer !== undefined && again !== undefined) {
      record.acknowledged -= 1
      if (isAnswerKept && !isDeepStrictEqual(answer, again))
        record.faults.push(`${path}: two answers to one key`)
    }
    return answer ?? again
  }
}
