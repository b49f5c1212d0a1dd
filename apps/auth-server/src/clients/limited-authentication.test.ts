import { describe, expect, test } from 'vitest'
import { connectAdmin, enrollCast } from '../../test-support/admin-client.ts'
import { startAuthServer } from '../../test-support/auth-server.ts'
import { postToken, readOAuthError } from '../../test-support/oauth-request.ts'

async function setUp() {
  await using stack = new AsyncDisposableStack()
  const rateLimitTiers = { standard: null, low: { burst: 2, perMinute: 6 } }
  const server = stack.use(await startAuthServer({ rateLimitTiers }))
  const admin = stack.use(connectAdmin(server))
  const cast = await enrollCast(admin)
  await admin.agents.update.mutate({ id: cast.alice.id, settings: { rateLimitTier: 'low' } })
  const resources = stack.move()
  return { server, admin, ...cast, [Symbol.asyncDispose]: async () => resources.disposeAsync() }
}

describe('a client that asks for tokens too often', () => {
  test('is told what is left, then to wait, and gets tokens again after that', async () => {
    await using world = await setUp()

    const first = await postToken(world.server, world.alice)
    await postToken(world.server, world.alice)
    const refused = await postToken(world.server, world.alice)
    world.server.clock.advance(10)
    const later = await postToken(world.server, world.alice)

    expect(first.headers.get('ratelimit')).toBe('"low";r=1;t=10')
    expect(readOAuthError(refused)).toEqual({ status: 429, error: 'temporarily_unavailable' })
    expect(refused.headers.get('retry-after')).toBe('10')
    expect(refused.headers.get('ratelimit')).toBe('"low";r=0;t=20')
    expect(later.status).toBe(200)
  })

  test('does not slow another down', async () => {
    await using world = await setUp()
    for (let time = 0; time < 5; time += 1) await postToken(world.server, world.alice)

    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => postToken(world.server, world.server.operator)),
    )

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  })
})

describe('repeated failures', () => {
  test('are slowed down, without locking out the client that is named', async () => {
    // Attack: Mallory guesses at Alice's secret, or fails in her name to lock her out.
    await using world = await setUp()
    const guess = { id: world.alice.id, secret: 'wrong' }

    const statuses = []
    for (let time = 0; time < 12; time += 1) {
      statuses.push((await postToken(world.server, guess)).status)
    }

    expect(statuses).toEqual([...Array<number>(10).fill(401), 429, 429])
    expect((await postToken(world.server, world.alice)).status).toBe(200)
  })

  test('do not tell a client that exists from one that does not', async () => {
    await using world = await setUp()
    const fail = async (id: string) => {
      const statuses = []
      for (let time = 0; time < 11; time += 1) {
        statuses.push((await postToken(world.server, { id, secret: 'wrong' })).status)
      }
      return statuses
    }

    expect(await fail('agent-alice')).toEqual(await fail('agent-nobody'))
  })
})
