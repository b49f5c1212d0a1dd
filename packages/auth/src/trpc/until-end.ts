// A call ends when the caller's authority does: what is under way is answered with the refusal, and a
// stream ends with it, in that moment rather than with the next message.
import type { Principal } from '../principal.ts'
import type { Result } from '../protocol/index.ts'
import type { Refusal } from '../refusal.ts'
import { AuthError } from './auth-error.ts'
import { bubbleRefusal } from './bubbled-refusal.ts'

/** Watches over one call, for as long as somebody holds it. */
export type CallGuard = {
  /** Aborted when the caller gives up, or its authority ends. No getter: V8 would keep each guard for long. */
  getSignal(): AbortSignal
  /** The work's own result, or a rejection with `AuthError` if the authority ends first. */
  race<Value>(work: Promise<Value>): Promise<Value>
  /** The values of a stream, until the authority ends; then it throws `AuthError`. Holds the guard until its end. */
  guard<Value>(stream: AsyncIterable<Value>, onOver?: () => void): AsyncIterableIterator<Value>
  /**
   * Called before the work. Throws `AuthError` once the authority has ended: work for nobody is not begun.
   *
   * @param isMutation an end from now on says that the call may have been carried out
   */
  begin(isMutation: boolean): void
  /** Ends the call before its time. */
  end(refusal: Refusal): void
  /** Holds the guard once more. It begins held once. */
  hold(): void
  /** Ends one hold. After the last one nothing is watched any more. */
  release(): void
}

/** Says whether a call that is under way may go on when its connection presents another token. */
export type Readmit = (principal: Principal) => Promise<Result<unknown, Refusal>>

/** Registers for the end of the caller's authority; answers what ends the registration. */
export type WatchEnd = (onEnd: (refusal: Refusal) => void, readmit?: Readmit) => () => void

export type CallGuardOptions = {
  readonly watch: WatchEnd
  readonly readmit?: Readmit | undefined
  /** This agent's. */
  readonly agentId: string
  /** The caller's own. */
  readonly signal: AbortSignal | undefined
}

/** Starts watching. */
export function createCallGuard(options: CallGuardOptions): CallGuard {
  const enders = new Set<(error: AuthError) => void>()
  let controller: AbortController | undefined
  let ended: AuthError | undefined
  let mayBeDone = false
  let holds = 1
  const unwatch = options.watch(end, options.readmit)

  function end(refusal: Refusal): void {
    if (ended !== undefined) return
    ended = new AuthError(refusal, { mayBeDone })
    for (const tell of enders) tell(ended)
    enders.clear()
    controller?.abort(ended)
  }

  function release(): void {
    holds -= 1
    if (holds === 0) unwatch()
  }

  // Not a race of promises: each one that a long stream lost would be kept until the call ends.
  async function settle<Value>(work: Promise<Value>): Promise<Value> {
    const { promise, reject, resolve } = Promise.withResolvers<Value>()
    if (ended === undefined) enders.add(reject)
    else reject(ended)
    work.then(resolve, reject)
    try {
      return await promise
    } finally {
      enders.delete(reject)
    }
  }

  function guard<Value>(
    stream: AsyncIterable<Value>,
    onOver?: () => void,
  ): AsyncIterableIterator<Value> {
    const iterator = stream[Symbol.asyncIterator]()
    let isOver = false
    holds += 1
    function finish(): void {
      if (isOver) return
      isOver = true
      enders.delete(close)
      onOver?.()
      release()
    }
    function close(): void {
      finish()
      // Not waited for: it may be in the middle of waiting itself.
      iterator.return?.().then(undefined, () => undefined)
    }
    let toTell = true
    if (ended === undefined) enders.add(close)
    else close()

    return {
      async next() {
        if (ended !== undefined && toTell) {
          toTell = false
          throw ended
        }
        if (isOver) return { done: true, value: undefined }
        try {
          const step = await settle(iterator.next())
          if (step.done === true) finish()
          return step
        } catch (error) {
          toTell = false
          finish()
          throw bubbleRefusal(error, options.agentId)
        }
      },
      async return() {
        toTell = false
        if (!isOver) close()
        return { done: true, value: undefined }
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  return {
    getSignal() {
      if (controller === undefined) controller = follow(options.signal)
      if (ended !== undefined) controller.abort(ended)
      return controller.signal
    },
    race: settle,
    guard,
    begin(isMutation) {
      if (ended !== undefined) throw ended
      mayBeDone = isMutation
    },
    end,
    hold() {
      holds += 1
    },
    release,
  }
}

/** Aborted with the signal, if there is one. Not `AbortSignal.any`, which takes up several times the memory. */
function follow(given: AbortSignal | undefined): AbortController {
  const controller = new AbortController()
  const abort = (): void => {
    controller.abort(given?.reason)
  }
  if (given?.aborted === true) abort()
  else given?.addEventListener('abort', abort, { once: true })
  return controller
}

/** Whether a procedure's result is a stream. */
export function isStream(data: unknown): data is AsyncIterable<unknown> {
  return typeof data === 'object' && data !== null && Symbol.asyncIterator in data
}
