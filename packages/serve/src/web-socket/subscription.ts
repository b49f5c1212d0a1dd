// Delivers the values of one subscription, as fast as they are read and no faster.
import { isTrackedEnvelope } from '@trpc/server'
import type { TRPCResultMessage } from '@trpc/server/rpc'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Outbox } from './outbox.ts'

export type SubscriptionOptions = {
  /** The subscriber's: aborted when it wants no more, or is gone. */
  readonly signal: AbortSignal
  readonly outbox: Outbox
  readonly respond: (result: TRPCResultMessage<unknown>['result']) => void
}

/** After so many values everybody else has a turn: a stream that never waits would leave them none. */
const MAX_IN_A_ROW = 32

/**
 * Sends value after value until the stream ends or the subscriber does. Rejects with what the stream throws.
 * While too many bytes wait to be read, the stream is not asked for the next value.
 */
export async function deliver(
  stream: AsyncIterable<unknown>,
  { outbox, respond, signal }: SubscriptionOptions,
): Promise<void> {
  const iterator = stream[Symbol.asyncIterator]()
  const aborted = Promise.withResolvers<undefined>()
  let wake = aborted.resolve
  const onAbort = (): void => {
    wake(undefined)
  }
  signal.addEventListener('abort', onAbort)
  let inARow = 0
  try {
    // A closing socket takes nothing and is never full: a stream that is always ready would not let go of the
    // event loop that has to tell of the end.
    while (!signal.aborted && outbox.isOpen) {
      if (outbox.isCongested) {
        await outbox.whenClear()
        continue
      }
      if (inARow === MAX_IN_A_ROW) {
        inARow = 0
        await nextTurn()
        continue
      }
      inARow += 1
      // A race with one long-lived promise would keep something of every value.
      const step = await new Promise<IteratorResult<unknown> | undefined>((resolve, reject) => {
        wake = resolve
        iterator.next().then(resolve, reject)
      })
      if (step === undefined || step.done === true || signal.aborted) return
      respond(toResult(step.value))
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    // Not waited for: it may be in the middle of waiting itself.
    iterator.return?.().then(undefined, () => undefined)
  }
}

function toResult(value: unknown): TRPCResultMessage<unknown>['result'] {
  if (!isTrackedEnvelope(value)) return { type: 'data', data: value }
  const [id, data] = value
  return { type: 'data', id, data: { id, data } }
}
