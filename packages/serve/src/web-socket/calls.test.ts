import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { bearer } from '../../../../test/support/call-trpc.ts'
import { openWebSocket } from '../../../../test/support/raw-socket.ts'
import { startTestAgent, type TestAgent } from '../../../../test/support/test-agent.ts'

async function connect(agent: TestAgent) {
  const url = `ws://127.0.0.1:${String(agent.port)}/trpc`
  return openWebSocket(url, bearer(await agent.token()))
}
const pending = (id: number, timeoutMs?: number) => ({
  id,
  method: 'mutation',
  params: { path: 'pending', timeoutMs },
})

async function firstSignal(agent: TestAgent): Promise<AbortSignal> {
  await agent.gate.entered
  const [signal] = agent.ticker.signals
  if (signal === undefined) throw new TypeError('no call has arrived')
  return signal
}

test('a call that is over its caller’s time is answered with that, and its work is cancelled', async () => {
  await using agent = await startTestAgent()
  await using connection = await connect(agent)

  connection.send(pending(1, 30))

  expect(await connection.message(0)).toMatchObject({
    id: 1,
    error: { data: { code: 'TIMEOUT', reason: 'deadline_exceeded', httpStatus: 408 } },
  })
  expect((await firstSignal(agent)).aborted).toBe(true)
})

test.each([null, undefined, 9_999_999_999])(
  'a time of %j limits nothing wrongly',
  async (timeoutMs) => {
    await using agent = await startTestAgent()
    await using connection = await connect(agent)

    connection.send({ id: 1, method: 'mutation', params: { path: 'pending', timeoutMs } })
    const signal = await firstSignal(agent)
    const before = signal.aborted
    agent.gate.open()

    expect(await connection.message(0)).toMatchObject({ id: 1, result: { data: 'done' } })
    expect(before).toBe(false)
  },
)

test('a call that its caller gives up is cancelled', async () => {
  await using agent = await startTestAgent()
  await using connection = await connect(agent)
  connection.send(pending(1))
  const signal = await firstSignal(agent)

  connection.send({ id: 1, method: 'subscription.stop' })

  await new Promise((resolve) => signal.addEventListener('abort', resolve))
  expect(signal.aborted).toBe(true)
})

test('calls under way are cancelled when the connection is lost', async () => {
  await using agent = await startTestAgent()
  await using connection = await connect(agent)
  connection.send(pending(1))
  const signal = await firstSignal(agent)

  connection.socket.terminate()

  await new Promise((resolve) => signal.addEventListener('abort', resolve))
  expect(signal.aborted).toBe(true)
})

test('work that listens is cancelled in the moment in which the authority ends', async () => {
  await using agent = await startTestAgent()
  await using connection = await connect(agent)
  connection.send(pending(1))
  const signal = await firstSignal(agent)

  agent.clock.advance(900)

  expect(signal.aborted).toBe(true)
  expect(await connection.message(0)).toMatchObject({
    id: 1,
    error: { data: { reason: 'token_expired', httpStatus: 401 } },
  })
  expect(await connection.closed).toBe(4401)
})

test('a subscription goes on after the event that the client names', async () => {
  await using agent = await startTestAgent()
  await using connection = await connect(agent)
  agent.ticker.tickTo(5)

  connection.send({ id: 1, method: 'subscription', params: { path: 'ticks', lastEventId: '3' } })
  await connection.message(2)

  expect(connection.messages).toMatchObject([
    { id: 1, result: { type: 'started' } },
    { id: 1, result: { type: 'data', id: '4', data: { id: '4', data: 4 } } },
    { id: 1, result: { type: 'data', id: '5', data: { id: '5', data: 5 } } },
  ])
})

test('an id that is in use is refused, and free again after the end', async () => {
  await using agent = await startTestAgent()
  await using connection = await connect(agent)
  const subscribe = { id: 1, method: 'subscription', params: { path: 'ticks' } }

  connection.send(subscribe)
  await connection.message(0)
  connection.send(subscribe)
  await connection.message(1)
  connection.send({ id: 1, method: 'subscription.stop' })
  await connection.message(2)
  connection.send(subscribe)
  await connection.message(3)
  await nextTurn()

  expect(connection.messages).toMatchObject([
    { id: 1, result: { type: 'started' } },
    { id: 1, error: { data: { reason: 'bad_request' } } },
    { id: 1, result: { type: 'stopped' } },
    { id: 1, result: { type: 'started' } },
  ])
})
