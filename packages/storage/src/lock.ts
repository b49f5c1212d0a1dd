/** Lets one at a time through, in the order of their coming. */
export type Lock = {
  /** Resolves, when it is the caller's turn, with the function that ends it. */
  acquire(): Promise<() => void>
}

/** Creates a lock that nobody holds. */
export function createLock(): Lock {
  let isHeld = false
  const waiting: (() => void)[] = []

  function release(): void {
    const next = waiting.shift()
    if (next === undefined) isHeld = false
    else next()
  }

  return {
    async acquire() {
      if (isHeld) await new Promise<void>((resolve) => waiting.push(resolve))
      isHeld = true
      return release
    },
  }
}
