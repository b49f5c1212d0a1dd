// Runs an attack on a real listening agent, several times over, and then asks what it has left behind: whether
// somebody else is answered, whether all its sockets are gone, whether memory has grown.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'vitest'
import { bearer, callTrpc } from '../support/call-trpc.ts'
import { startTestAgent, type TestAgent, type TestAgentOptions } from '../support/test-agent.ts'

/** Before anything is measured: code is compiled, pools and caches fill. */
const WARM_UP_ROUNDS = 1
const ROUNDS = 2

/** Measured: some tens of KiB either way. A body, or the objects of a flood, would be more than this. */
const MAX_GROWTH_BYTES = 2 * 1024 * 1024

setFlagsFromString('--expose-gc')
const collectGarbage: unknown = runInNewContext('gc')

function readHeapBytes(): number {
  if (typeof collectGarbage !== 'function') throw new TypeError('there is no gc to call')
  for (let pass = 0; pass < 2; pass += 1) collectGarbage()
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

/** Sockets that are open in this process, on either side. */
export function countSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
}

/** Waits for something that comes with an event which nobody tells of. The time limit of the test ends it. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await nextTurn()
}

/** Somebody else, on a connection of their own that ends with the call. */
export async function expectHealthy(agent: TestAgent): Promise<void> {
  const token = await agent.token({ sub: 'agent-bob-v1', client_id: 'agent-bob-v1' })
  const answer = await callTrpc(agent.url, 'echo', {
    input: { text: 'still here' },
    headers: { ...bearer(token), connection: 'close' },
  })
  expect([answer.status, answer.data()]).toEqual([200, 'still here'])
}

/** The attack leaves nothing open behind that it could close itself. */
export type Attack = (agent: TestAgent) => Promise<void>

export async function expectHarmless(
  limits: NonNullable<TestAgentOptions['limits']>,
  attack: Attack,
): Promise<void> {
  await using agent = await startTestAgent({ limits, rateLimitTiers: { standard: null } })
  const round = async (): Promise<void> => {
    await attack(agent)
    await expectHealthy(agent)
    await until(() => countSockets() === 0)
    expect(agent.logText()).not.toMatch(/"level":(?:50|60)/)
    agent.forgetLog()
  }
  for (let at = 0; at < WARM_UP_ROUNDS; at += 1) await round()
  const before = readHeapBytes()
  for (let at = 0; at < ROUNDS; at += 1) await round()

  expect(readHeapBytes() - before).toBeLessThan(MAX_GROWTH_BYTES)
}
