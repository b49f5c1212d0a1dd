/** The agents that follow the feed of this server right now. */
export type Verifiers = {
  /** Notes a connection, until it is disposed of. */
  connect(agentId: string): Disposable
  hasRoom(agentId: string): boolean
  isConnected(agentId: string): boolean
}

/** Connections of one agent, at most: its instances, and some that are not yet known to be gone. */
const MAX_CONNECTIONS = 100

/** Creates the list. */
export function createVerifiers(): Verifiers {
  const connections = new Map<string, number>()
  const count = (agentId: string): number => connections.get(agentId) ?? 0
  return {
    connect(agentId) {
      connections.set(agentId, count(agentId) + 1)
      return {
        [Symbol.dispose]() {
          const left = count(agentId) - 1
          if (left === 0) connections.delete(agentId)
          else connections.set(agentId, left)
        },
      }
    },
    hasRoom: (agentId) => count(agentId) < MAX_CONNECTIONS,
    isConnected: (agentId) => connections.has(agentId),
  }
}
