import { createLocalReplayMemory, createMemoryRateLimiter, type RateLimiter } from '@deputy/auth'
import { REAUTHENTICATE_PATH } from '@deputy/auth/protocol'
import { describe, expect, test } from 'vitest'
import { bearer } from '../../../../test/support/call-trpc.ts'
import { openWebSocket } from '../../../../test/support/raw-socket.ts'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { startTestAgent, type TestAgent } from '../../../../test/support/test-agent.ts'

async function connect(agent: TestAgent) {
  const url = `ws://127.0.0.1:${String(agent.port)}/trpc`
  return openWebSocket(url, bearer(await agent.token({ jti: 'token-1' })))
}
const present = (id: number, token: string) => ({
  id,
  method: 'mutation',
  params: { path: REAUTHENTICATE_PATH, input: bearer(token) },
})
const subscribe = (id: number) => ({ id, method: 'subscription', params: { path: 'ticks' } })
const whoAmI = (id: number) => ({ id, method: 'query', params: { path: 'whoAmI' } })

describe('a new token on an open connection', () => {
  test('takes the place of the old one: what is under way goes on beyond its end', async () => {
    await using agent = await startTestAgent()
    await using connection = await connect(agent)
    connection.send(subscribe(1))
    await connection.message(0)
    agent.clock.advance(890)

    connection.send(present(2, await agent.token({ jti: 'token-2' })))
    const answer = await connection.message(1)
    agent.clock.advance(20)
    agent.ticker.tickTo(1)
    const tick = await connection.message(2)
    connection.send(whoAmI(3))
    const next = await connection.message(3)

    expect(answer).toMatchObject({ id: 2, result: { data: { expiresAt: 1_800_001_790 } } })
    expect(tick).toMatchObject({ id: 1, result: { id: '1', data: { data: 1 } } })
    expect(next).toMatchObject({ result: { data: { credential: { id: 'token-2' } } } })
  })

  test('is what the calls behind it run under, without waiting for its answer', async () => {
    await using agent = await startTestAgent()
    await using connection = await connect(agent)

    connection.send([present(1, await agent.token({ jti: 'token-2' })), whoAmI(2)])
    await connection.message(1)

    expect(connection.messages).toContainEqual(
      expect.objectContaining({
        id: 2,
        result: expect.objectContaining({
          data: expect.objectContaining({
            credential: { kind: 'access_token', id: 'token-2' },
          }) as unknown,
        }) as unknown,
      }),
    )
  })

  test('ends a subscription that it does not allow, with the reason, and nothing else', async () => {
    await using agent = await startTestAgent()
    await using connection = await connect(agent)
    connection.send(subscribe(1))
    await connection.message(0)

    connection.send(present(2, await agent.token({ jti: 'token-2', scope: 'billing:write' })))
    await connection.message(2)
    connection.send({
      id: 3,
      method: 'mutation',
      params: { path: 'pay', input: { amountMinor: 1 } },
    })

    expect(connection.messages).toContainEqual(
      expect.objectContaining({
        id: 1,
        error: expect.objectContaining({
          data: expect.objectContaining({ reason: 'scope_missing', httpStatus: 403 }) as unknown,
        }) as unknown,
      }),
    )
    expect(await connection.message(3)).toMatchObject({ id: 3, result: { data: { paidMinor: 1 } } })
  })

  test.each([
    ['another subject', { sub: 'agent-mallory-v1' }],
    ['another client', { client_id: 'agent-mallory-v1' }],
  ])('is refused for %s, and the old one stays', async (_, changes) => {
    // Attack: what one caller began goes on with another one's authority.
    await using agent = await startTestAgent()
    await using connection = await connect(agent)

    connection.send(present(1, await agent.token({ jti: 'token-2', ...changes })))
    const refusal = await connection.message(0)
    connection.send(whoAmI(2))

    expect(refusal).toMatchObject({
      error: { data: { reason: 'caller_changed', httpStatus: 403 } },
    })
    expect(await connection.message(1)).toMatchObject({
      result: { data: { credential: { id: 'token-1' } } },
    })
  })

  test.each([
    ['for another agent', { aud: 'agent-x' }, 'token_audience_invalid'],
    ['that is over', { exp: 1_799_999_999 }, 'token_expired'],
  ])('is refused %s, and the old one stays', async (_, changes, reason) => {
    await using agent = await startTestAgent()
    await using connection = await connect(agent)

    connection.send(present(1, await agent.token(changes)))
    const refusal = await connection.message(0)
    connection.send(whoAmI(2))

    expect(refusal).toMatchObject({ error: { data: { reason, httpStatus: 401 } } })
    expect(await connection.message(1)).toMatchObject({ result: { data: {} } })
  })

  test('makes good for a first one that was not', async () => {
    await using agent = await startTestAgent()
    const url = `ws://127.0.0.1:${String(agent.port)}/trpc`
    await using connection = await openWebSocket(url, bearer(await agent.token({ aud: 'other' })))

    connection.send(present(1, await agent.token()))
    await connection.message(0)
    connection.send(whoAmI(2))

    expect(await connection.message(1)).toMatchObject({ id: 2, result: { data: {} } })
  })

  test('that is revoked ends the connection, though the old one is not', async () => {
    await using agent = await startTestAgent()
    await using connection = await connect(agent)
    connection.send(present(1, await agent.token({ jti: 'token-2' })))
    await connection.message(0)

    agent.deny('token-2')

    expect(await connection.closed).toBe(4401)
  })

  test('leaves the old one with nothing to end: its revocation comes too late', async () => {
    await using agent = await startTestAgent()
    await using connection = await connect(agent)
    connection.send(present(1, await agent.token({ jti: 'token-2' })))
    await connection.message(0)

    agent.deny('token-1')
    connection.send(whoAmI(2))

    expect(await connection.message(1)).toMatchObject({ id: 2, result: { data: {} } })
  })
})

test('a token that nobody can hold a call to ends that call, and nothing else', async () => {
  // Attack: an input that has no hash, in a call that goes on, and then a token that is good for one input. What was
  // thrown was caught by nobody, and the agent closed for everybody.
  const approvals = createLocalReplayMemory({ clock: createSettableClock() })
  await using agent = await startTestAgent({ limitStores: { approvals } })
  await using connection = await connect(agent)
  const input = 'half of a pair: \ud800'
  connection.send({ id: 1, method: 'mutation', params: { path: 'pending', input } })
  await agent.gate.entered

  const limit = { type: 'approved_call', identifier: 'approval-1', procedure: 'pay' }
  const details = [{ ...limit, input_sha256: 'A'.repeat(43) }]
  connection.send(present(2, await agent.token({ jti: 'token-2', authorization_details: details })))
  await connection.message(1)

  expect(connection.messages).toMatchObject([
    { id: 1, error: { data: { reason: 'limit_unavailable', httpStatus: 503, mayBeDone: true } } },
    { id: 2, result: { data: { expiresAt: 1_800_000_900 } } },
  ])
})

describe('a call that waits to be counted', () => {
  /** Counting that takes until it is let go, as when it is done elsewhere. */
  function createSlowLimiter() {
    const limiter = createMemoryRateLimiter()
    const asked = Promise.withResolvers<void>()
    const counted = Promise.withResolvers<void>()
    const consume: RateLimiter['consume'] = async (request) => {
      asked.resolve()
      await counted.promise
      return limiter.consume(request)
    }
    return { rateLimiter: { consume }, asked: asked.promise, count: () => counted.resolve() }
  }

  test('does not begin when the token that was presented meanwhile does not allow it', async () => {
    // Attack: calls that are held at the limiter until the token that forbids them has come.
    const { asked, count, rateLimiter } = createSlowLimiter()
    await using agent = await startTestAgent({ rateLimiter })
    await using connection = await connect(agent)
    connection.send(whoAmI(1))
    await asked

    connection.send(present(2, await agent.token({ jti: 'token-2', scope: 'billing:write' })))
    await connection.message(0)
    count()

    expect(await connection.message(1)).toMatchObject({
      id: 1,
      error: { data: { reason: 'scope_missing', httpStatus: 403 } },
    })
  })

  test('goes on as who it came from when that token allows it', async () => {
    const { asked, count, rateLimiter } = createSlowLimiter()
    await using agent = await startTestAgent({ rateLimiter })
    await using connection = await connect(agent)
    connection.send(whoAmI(1))
    await asked

    connection.send(present(2, await agent.token({ jti: 'token-2' })))
    await connection.message(0)
    count()

    expect(await connection.message(1)).toMatchObject({
      id: 1,
      result: { data: { credential: { id: 'token-1' } } },
    })
  })
})
