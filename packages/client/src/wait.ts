import { startTimer, type Clock } from '@deputy/auth/protocol'

/** Waits so long on the clock, in milliseconds. Rejects with the signal's reason as soon as it is aborted. */
export async function wait(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted()
  await new Promise<void>((resolve, reject) => {
    const timer = startTimer(clock, ms, () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    function abort(): void {
      timer.cancel()
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- what the caller gave as reason
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', abort, { once: true })
  })
}
