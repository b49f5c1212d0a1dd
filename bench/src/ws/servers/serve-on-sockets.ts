import { serveBenchAgent, type BenchAgentOptions } from '../../calls/servers/serve-bench-agent.ts'
import { answerMemory } from './memory.ts'

/** Serves the router to connections that send as much as they can. Beside it, `/memory` says what the process takes up. */
export async function serveOnSockets(router: BenchAgentOptions['router']): Promise<void> {
  await serveBenchAgent({
    router,
    // As many as one connection can send, for as long as the bench runs.
    limits: { webSocket: { maxMessagesPerSecond: 1_000_000 } },
    fallback: answerMemory,
  })
}
