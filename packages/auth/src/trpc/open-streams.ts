// The streams that an agent holds open over HTTP: how many for each caller, and their end when it shuts down.
import type { Principal } from '../principal.ts'
import { accept, refuse, type Result } from '../protocol/index.ts'
import type { StreamRefusal } from '../refusal.ts'

export type OpenStreams = {
  /**
   * Takes up a stream; what it answers is called at the stream's end. Refuses with `too_many_streams`, and with
   * `agent_draining` once all were ended.
   */
  open(
    principal: Principal,
    end: (refusal: StreamRefusal) => void,
  ): Result<() => void, StreamRefusal>
  /** Ends all that are open, with a refusal after which clients subscribe again, and takes up no more. */
  endAll(): void
}

export type OpenStreamsOptions = {
  /** Most streams that one agent may have open here. */
  readonly maxStreamsPerAgent: number
}

type Stream = { readonly end: (refusal: StreamRefusal) => void }

/** Creates the register of one agent. */
export function createOpenStreams({ maxStreamsPerAgent }: OpenStreamsOptions): OpenStreams {
  const streams = new Set<Stream>()
  const counts = new Map<string, number>()
  let isDraining = false

  function count(agentId: string, by: 1 | -1): void {
    const after = (counts.get(agentId) ?? 0) + by
    if (after === 0) counts.delete(agentId)
    else counts.set(agentId, after)
  }

  return {
    open({ agentId }, end) {
      if (isDraining) return refuse({ reason: 'agent_draining' })
      if ((counts.get(agentId) ?? 0) >= maxStreamsPerAgent) {
        return refuse({ reason: 'too_many_streams', maxStreams: maxStreamsPerAgent })
      }
      const stream = { end }
      streams.add(stream)
      count(agentId, 1)
      return accept(() => {
        if (streams.delete(stream)) count(agentId, -1)
      })
    },

    endAll() {
      isDraining = true
      for (const { end } of streams) end({ reason: 'agent_draining' })
    },
  }
}
