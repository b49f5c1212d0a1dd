// A call ends when the caller's authority does: what is under way is answered with the refusal, and a
// stream ends with it, in that moment rather than with the next message.
import type { CredentialRefusal } from '../refusal.ts'
import { AuthError } from './auth-error.ts'
import { bubbleApproval } from './bubbled-approval.ts'

/** Watches over one call. */
export type CallGuard = {
  /** Aborted when the caller gives up, or its authority ends. */
  readonly signal: AbortSignal
  /** The work's own result, or a rejection with `AuthError` if the authority ends first. */
  race<Value>(work: Promise<Value>): Promise<Value>
  /** The values of a stream, until the authority ends; then it throws `AuthError`. Stops watching at its end. */
  guard<Value>(stream: AsyncIterable<Value>): AsyncGenerator<Value, void>
  stop(): void
}

/** Registers for the end of the caller's authority; answers what ends the registration. */
export type WatchEnd = (onEnd: (refusal: CredentialRefusal) => void) => () => void

/** Starts watching. */
export function createCallGuard(watch: WatchEnd, given: AbortSignal | undefined): CallGuard {
  const { promise, reject } = Promise.withResolvers<never>()
  // Most calls are over before: nobody waits for it then.
  promise.catch(() => undefined)
  let ending: AbortController | undefined
  let ended: AuthError | undefined
  const stop = watch((refusal) => {
    ended = new AuthError(refusal)
    reject(ended)
    ending?.abort(ended)
  })

  async function* guard<Value>(stream: AsyncIterable<Value>): AsyncGenerator<Value, void> {
    const iterator = stream[Symbol.asyncIterator]()
    try {
      for (;;) {
        const next = await Promise.race([promise, iterator.next()])
        if (next.done === true) return
        yield next.value
      }
    } catch (error) {
      throw bubbleApproval(error)
    } finally {
      stop()
      // Not waited for: it may be in the middle of waiting itself.
      iterator.return?.()?.then(undefined, () => undefined)
    }
  }

  return {
    get signal() {
      ending ??= new AbortController()
      if (ended !== undefined) ending.abort(ended)
      return given === undefined ? ending.signal : AbortSignal.any([given, ending.signal])
    },
    race: async (work) => Promise.race([promise, work]),
    guard,
    stop,
  }
}

/** Whether a procedure's result is a stream. */
export function isStream(data: unknown): data is AsyncIterable<unknown> {
  return typeof data === 'object' && data !== null && Symbol.asyncIterator in data
}
