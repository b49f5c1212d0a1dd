/** Lets one after the other through, in the order in which they came. */
export type Lock = {
  /** Resolves to what gives the lock back; calling that twice does nothing more. */
  acquire(): Promise<() => void>
  /** Whether somebody waits for it. */
  isWanted(): boolean
}

export function createLock(): Lock {
  const waiting: (() => void)[] = []
  let isHeld = false

  function createRelease(): () => void {
    let isReleased = false
    return () => {
      if (isReleased) return
      isReleased = true
      const next = waiting.shift()
      if (next === undefined) isHeld = false
      else next()
    }
  }

  return {
    async acquire() {
      if (isHeld) {
        const { promise, resolve } = Promise.withResolvers<void>()
        waiting.push(resolve)
        await promise
      }
      isHeld = true
      return createRelease()
    },
    isWanted: () => waiting.length > 0,
  }
}
