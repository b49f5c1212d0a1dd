/** Counts what each agent holds, up to a limit. */
export type CallerCount = {
  /** Counts one more; `undefined` when the agent has the most already. What it answers counts it off, once. */
  admit(agentId: string): (() => void) | undefined
}

/** Creates the count. */
export function createCallerCount(most: number): CallerCount {
  const counts = new Map<string, number>()

  return {
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
