// What becomes of subscriptions when their client is disposed of.
import { expect, test } from 'vitest'
import { createPool } from '@deputy/client/node'
import { tokenAnswer } from '../support/fake-token-endpoint.ts'
import { startTestAgent } from '../support/test-agent.ts'
import { collectTicks, createStreamClient } from './client-harness.ts'

const TRANSPORTS = ['http', 'websocket'] as const

test.each(TRANSPORTS)('over %s they end with it', async (transport) => {
  await using agent = await startTestAgent()
  const answerToken = async () => tokenAnswer(await agent.token())
  await using pool = createPool()
  const { client } = createStreamClient(agent, { transport, answerToken, fetch: pool.fetch })
  using ticks = collectTicks(client)
  agent.ticker.tickTo(1)
  await ticks.reach(1)

  await client[Symbol.asyncDispose]()
  await ticks.until('idle')

  expect(ticks.ticks).toEqual([1])
})

test.each([
  ['http', 'agent_draining'],
  ['websocket', 'network_error'],
] as const)('over %s so does one that was about to begin again', async (transport, code) => {
  await using agent = await startTestAgent()
  const answerToken = async () => tokenAnswer(await agent.token())
  // Timers that would keep the process alive.
  const waits = new Set<() => void>()
  const { client } = createStreamClient(agent, {
    transport,
    answerToken,
    clock: {
      now: () => agent.clock.now(),
      after(_ms, callback) {
        waits.add(callback)
        return () => waits.delete(callback)
      },
    },
  })
  using ticks = collectTicks(client)
  await ticks.until('pending')
  await agent.close()
  await ticks.until(`connecting ${code}`)

  await client[Symbol.asyncDispose]()
  await ticks.until('idle')

  expect([...waits]).toEqual([])
})
