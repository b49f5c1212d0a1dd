// How far a call came, for whoever stops waiting for it: what was never sent was certainly not carried out.
import type { Operation } from '@trpc/client'

/** Name of the progress in an operation's context. */
const CONTEXT_KEY = 'deputyProgress'

/** Follows one call over all the times that it is sent. */
export class CallProgress {
  #isSent = false
  #isLost = false

  /** Whether the call may have been carried out. */
  get mayBeDone(): boolean {
    return this.#isSent || this.#isLost
  }

  /** Called just before it is handed to what sends it. */
  noteSent(): void {
    this.#isSent = true
  }

  /** Called when an attempt has failed. @param isDone `false` where it certainly was not carried out */
  noteFailed(isDone: boolean): void {
    if (this.#isSent && isDone) this.#isLost = true
    this.#isSent = false
  }
}

/** The progress of a call; begins one where none is noted. */
export function followCall(op: Operation): {
  readonly op: Operation
  readonly progress: CallProgress
} {
  const noted = readProgress(op)
  if (noted !== undefined) return { op, progress: noted }
  const progress = new CallProgress()
  return { op: { ...op, context: { ...op.context, [CONTEXT_KEY]: progress } }, progress }
}

/** The progress that is noted. */
export function readProgress({ context }: Pick<Operation, 'context'>): CallProgress | undefined {
  const noted = context[CONTEXT_KEY]
  return noted instanceof CallProgress ? noted : undefined
}

/** What the caller is told to do about a call that it stopped waiting for. */
export function toHint({ mayBeDone }: CallProgress): string {
  return mayBeDone
    ? 'The call may have been carried out: repeat it with the same idempotency key.'
    : 'The call was not carried out: it waited for a token, an approval, a connection or its next attempt.'
}
