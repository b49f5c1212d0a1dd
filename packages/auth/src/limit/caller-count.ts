/** Counts what each agent holds at a time, up to a limit, so that none takes what is there for all. */
export type CallerCount = {
  /** The limit. */
  readonly most: number
  /** Counts one more; `undefined` when the agent has the most already. What it answers counts it off, once. */
  admit(agentId: string): (() => void) | undefined
}

/** Creates the count. */
export function createCallerCount(most: number): CallerCount {
  const counts = new Map<string, number>()

  return {
    most,
    admit(agentId) {
      const before = counts.get(agentId) ?? 0
      if (before >= most) return undefined
      counts.set(agentId, before + 1)
      let isLeft = false
      return () => {
        if (isLeft) return
        isLeft = true
        const now = counts.get(agentId) ?? 0
        if (now > 1) counts.set(agentId, now - 1)
        else counts.delete(agentId)
      }
    },
  }
}
