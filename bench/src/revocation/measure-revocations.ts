import { findQuantile } from '../slices/statistics.ts'
import { openLines } from './open-lines.ts'
import type { BenchWorld } from './start-world.ts'

/** Milliseconds from the answer of the revocation, over all agents and rounds. */
export type Notice = {
  /** Until the last call that was accepted: 0 when none was. */
  readonly p99Ms: number
  readonly maxMs: number
  /** Until the last stream, and the last socket, had ended. */
  readonly streamMaxMs: number
  readonly socketMaxMs: number
}

/** Opens a task, works under it at every agent at once, ends it, and watches who goes on for how long. */
export async function measureRevocations(world: BenchWorld, rounds: number): Promise<Notice> {
  const calls: number[] = []
  const streams: number[] = []
  const sockets: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const { id: grantId } = await world.admin.taskGrants.open.mutate({
      agentId: world.caller.id,
      purpose: 'to be ended',
      scopes: ['bench:call'],
      audiences: world.agents.map(({ id }) => id),
    })
    const details = JSON.stringify([{ type: 'task_grant', identifier: grantId }])
    const lines = await Promise.all(
      world.agents.map(async ({ id: audience, url }) =>
        openLines(
          url,
          await world.token(world.caller, { audience, authorization_details: details }),
        ),
      ),
    )
    await Promise.all(lines.map(async ({ opened }) => opened))
    await world.admin.taskGrants.revoke.mutate({ grantId })
    const answeredMs = performance.now()
    for (const ends of await Promise.all(lines.map(async ({ ended }) => ended))) {
      calls.push(Math.max(0, ends.lastAcceptedMs - answeredMs))
      streams.push(Math.max(0, ends.streamEndedMs - answeredMs))
      sockets.push(Math.max(0, ends.socketClosedMs - answeredMs))
    }
  }
  return {
    p99Ms: findQuantile(calls, 0.99),
    maxMs: Math.max(...calls),
    streamMaxMs: Math.max(...streams),
    socketMaxMs: Math.max(...sockets),
  }
}
