import { createMemoryRateLimiter } from '@deputy/auth'
import { describe, expect, test } from 'vitest'
import { bearer, callTrpc } from '../../../test/support/call-trpc.ts'
import { startTestAgent } from '../../../test/support/test-agent.ts'

async function setUp() {
  return startTestAgent({
    rateLimiter: createMemoryRateLimiter({ clock: { now: () => 0 } }),
    rateLimitTiers: { standard: { burst: 2, perMinute: 6 } },
  })
}

describe('a caller that calls too often', () => {
  test('is told before how many calls are left, and then to wait', async () => {
    await using agent = await setUp()
    const headers = bearer(await agent.token())
    const call = async () => callTrpc(agent.url, 'whoAmI', { headers })

    const answers = [await call(), await call(), await call()]

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429])
    expect(answers.map((answer) => answer.header('ratelimit'))).toEqual([
      '"standard";r=1;t=10',
      '"standard";r=0;t=20',
      '"standard";r=0;t=20',
    ])
    const refused = answers[2]
    expect(refused?.header('ratelimit-policy')).toBe('"standard";q=2;w=20')
    expect(refused?.header('retry-after')).toBe('10')
    expect(refused?.header('www-authenticate')).toBeNull()
    expect(refused?.error().data).toMatchObject({
      code: 'TOO_MANY_REQUESTS',
      reason: 'rate_limited',
      retryAfterSeconds: 10,
    })
  })

  test('does not use up the calls of another', async () => {
    await using agent = await setUp()
    const mallory = bearer(await agent.token({ sub: 'mallory', client_id: 'agent-mallory-v1' }))
    for (let time = 0; time < 5; time += 1)
      await callTrpc(agent.url, 'whoAmI', { headers: mallory })

    const answer = await callTrpc(agent.url, 'whoAmI', { headers: bearer(await agent.token()) })

    expect(answer.status).toBe(200)
  })

  test('uses up nothing with calls that its scopes do not reach', async () => {
    await using agent = await setUp()
    const headers = bearer(await agent.token({ scope: 'other:read' }))

    const answer = await callTrpc(agent.url, 'whoAmI', { headers })

    expect(answer.status).toBe(403)
    expect(answer.header('ratelimit')).toBeNull()
  })
})

describe('a flood of bad tokens', () => {
  test('is told to wait, and does not stand in the way of a good one from the same address', async () => {
    await using agent = await setUp()
    const bad = async () => callTrpc(agent.url, 'whoAmI', { headers: bearer('x.y.z') })

    const statuses = new Set<number>()
    for (let time = 0; time < 101; time += 1) statuses.add((await bad()).status)
    const good = await callTrpc(agent.url, 'whoAmI', { headers: bearer(await agent.token()) })

    expect(statuses).toEqual(new Set([401, 429]))
    expect(good.status).toBe(200)
  })

  test('of one caller behind a trusted proxy is not that of the others behind it', async () => {
    // Attack: one caller behind the load balancer uses up what an address may get wrong, and whoever mistypes a key is told
    // to wait.
    await using agent = await startTestAgent({
      rateLimiter: createMemoryRateLimiter({ clock: { now: () => 0 } }),
      trustedProxies: 1,
    })
    const bad = async (from: string) => {
      const headers = { ...bearer('x.y.z'), 'x-forwarded-for': `198.51.100.7, ${from}` }
      return (await callTrpc(agent.url, 'whoAmI', { headers })).status
    }

    for (let time = 0; time < 100; time += 1) await bad('203.0.113.9')

    expect([await bad('203.0.113.9'), await bad('203.0.113.10')]).toEqual([429, 401])
  })
})
