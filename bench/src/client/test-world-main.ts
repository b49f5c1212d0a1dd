// Times worlds in a process of its own: the first one, and those after it. Says so by IPC.
import { agentRouter, scopedProcedure } from '../../../packages/auth/src/trpc/index.ts'
import { createTestWorld } from '../../../packages/testing/src/index.ts'

const WORLDS = 9

const router = agentRouter({ echo: scopedProcedure('notes:read').query(() => 'here') })

/** From nothing to the answer of the first call. */
async function timeWorld(): Promise<number> {
  const start = performance.now()
  await using world = await createTestWorld()
  const agent = await world.agent('agent-notes', { router })
  const alice = await world.caller('agent-alice', { scopes: ['notes:read'], audiences: [agent.id] })
  await alice.client(agent).echo.query()
  return performance.now() - start
}

const [first] = [await timeWorld()]
const later: number[] = []
for (let at = 1; at < WORLDS; at += 1) later.push(await timeWorld())
process.send?.({ first, later })
process.disconnect?.()
