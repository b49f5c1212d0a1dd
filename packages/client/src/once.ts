/**
 * Runs the work once, on the first call; everybody shares what comes of it. A failure is not remembered:
 * whoever asks after it begins anew.
 */
export function once<Value>(work: () => Promise<Value>): () => Promise<Value> {
  let promise: Promise<Value> | undefined
  return async () => {
    promise ??= work()
    const pending = promise
    try {
      return await pending
    } catch (error) {
      if (promise === pending) promise = undefined
      throw error
    }
  }
}
