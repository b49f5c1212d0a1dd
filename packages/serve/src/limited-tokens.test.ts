// Tokens with limits (RFC 9396), over real sockets.
import { createLocalReplayMemory, createMemoryCallCounter } from '@deputy/auth'
import { hashInput, LIMIT_USE_TTL_SECONDS } from '@deputy/auth/protocol'
import { expect, test } from 'vitest'
import { bearer, callTrpc } from '../../../test/support/call-trpc.ts'
import { openWebSocket } from '../../../test/support/raw-socket.ts'
import { createSettableClock } from '../../../test/support/settable-clock.ts'
import { startTestAgent, type TestAgent } from '../../../test/support/test-agent.ts'

function createStores() {
  const clock = createSettableClock()
  return {
    clock,
    callCounter: createMemoryCallCounter({ clock }),
    approvals: createLocalReplayMemory({ clock }),
  }
}

const calls = (max: number) => ({ type: 'calls', max, identifier: 'task-1' })

/** A token below the grant `task-1`. */
async function issue(agent: TestAgent, jti: string, ...limits: object[]): Promise<string> {
  return agent.token({
    jti,
    grant_path: ['credential-1', 'task-1', jti],
    authorization_details: limits,
  })
}

async function echo(agent: TestAgent, token: string, text = 'hello') {
  const answer = await callTrpc(agent.url, 'echo', { input: { text }, headers: bearer(token) })
  return {
    status: answer.status,
    reason: answer.status === 200 ? undefined : answer.error().data['reason'],
    challenge: answer.header('www-authenticate'),
    retryAfter: answer.header('retry-after'),
  }
}

test('calls below one grant are counted together, over HTTP and over WebSocket', async () => {
  await using agent = await startTestAgent({ limitStores: createStores() })
  const first = await issue(agent, 'token-1', calls(3))
  const second = await issue(agent, 'token-2', calls(3))
  const url = `ws://127.0.0.1:${String(agent.port)}/trpc?connectionParams=1`
  await using socket = await openWebSocket(url)
  const call = { id: 1, jsonrpc: '2.0', method: 'query', params: { path: 'whoAmI' } }

  const overHttp = await echo(agent, first)
  socket.send({ method: 'connectionParams', data: bearer(second) })
  socket.send(call)
  const answers = [await socket.message(0)]
  for (const id of [2, 3]) {
    socket.send({ ...call, id })
    answers.push(await socket.message(id - 1))
  }
  const after = await echo(agent, first)

  expect(overHttp.status).toBe(200)
  expect(answers).toMatchObject([
    { result: {} },
    { result: {} },
    { error: { data: { reason: 'calls_exhausted' } } },
  ])
  expect(after).toMatchObject({
    status: 403,
    reason: 'calls_exhausted',
    challenge: expect.stringMatching(/^Bearer resource_metadata="[^"]+"$/) as string,
  })
})

test('each call of a batch is counted', async () => {
  // Attack: many calls in one request, counted as one.
  await using agent = await startTestAgent({ limitStores: createStores() })
  const token = await issue(agent, 'token-1', calls(2))

  const answer = await callTrpc(agent.url, 'whoAmI,whoAmI,whoAmI?batch=1', {
    headers: bearer(token),
  })

  const refused = answer.answers().filter((one) => JSON.stringify(one).includes('calls_exhausted'))
  expect(refused).toHaveLength(1)
})

test('an approved call is good once, also with a later token for the same approval', async () => {
  const limitStores = createStores()
  await using agent = await startTestAgent({ limitStores })
  const approved = {
    type: 'approved_call',
    procedure: 'echo',
    input_sha256: await hashInput({ text: 'hello' }),
    identifier: 'approval-1',
  }
  const first = await issue(agent, 'token-1', approved)
  const later = await issue(agent, 'token-2', approved)

  const other = await echo(agent, first, 'other')
  const used = await echo(agent, first)
  limitStores.clock.advance(LIMIT_USE_TTL_SECONDS - 1)
  const again = await echo(agent, later)

  expect([other.reason, used.status, again.reason]).toEqual([
    'approval_mismatch',
    200,
    'approval_used',
  ])
})

test('an agent that keeps no account of use refuses what would have to be counted', async () => {
  await using agent = await startTestAgent()

  const answer = await echo(agent, await issue(agent, 'token-1', calls(3)))

  expect(answer).toMatchObject({ status: 403, reason: 'limit_not_supported' })
})

test('a limit that nobody knows is not passed over', async () => {
  // Attack: a hop adds a limit that the agent below does not know, and it is ignored there.
  await using agent = await startTestAgent({ limitStores: createStores() })

  const answer = await echo(agent, await issue(agent, 'token-1', { type: 'colour', is: 'blue' }))

  expect(answer).toMatchObject({ status: 403, reason: 'limit_not_supported' })
})

test('limits that cannot be counted right now ask to come back', async () => {
  const approvals = createLocalReplayMemory({ clock: createSettableClock() })
  const error = Object.assign(new Error('gone'), { code: 'database_unavailable' })
  const callCounter = { take: async () => Promise.reject(error) }
  await using agent = await startTestAgent({ limitStores: { approvals, callCounter } })

  const answer = await echo(agent, await issue(agent, 'token-1', calls(3)))

  expect(answer).toMatchObject({ status: 503, reason: 'limit_unavailable', retryAfter: '1' })
})

test('the metadata says which limits the agent keeps (RFC 9728 §2)', async () => {
  await using agent = await startTestAgent({ limitStores: createStores() })

  const answer = await fetch(`${agent.url}/.well-known/oauth-protected-resource`)

  expect(await answer.json()).toMatchObject({
    authorization_details_types_supported: ['allowed_values', 'approved_call', 'calls'],
  })
})
