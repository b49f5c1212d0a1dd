// What the two uses of an agent's table have beside the suites of their ports.
import { createLimitUse, LIMIT_USE_PRUNE_BATCH_SIZE, openDatabase } from '@deputy/storage'
import { describe, expect, test } from 'vitest'
import { createSettableClock } from '../support/settable-clock.ts'
import { migrations, STORED_PLACES } from './call-counters.ts'

type LimitTables = { limit_use: { use_key: string; used: number; expires_at: number } }

describe.each(STORED_PLACES)('what was used, on $name', ({ create }) => {
  async function open() {
    await using stack = new AsyncDisposableStack()
    const { location } = stack.use(await create())
    const database = stack.use(await openDatabase<LimitTables>({ ...location, migrations }))
    const clock = createSettableClock()
    const resources = stack.move()
    return {
      ...createLimitUse({ database, clock }),
      database,
      clock,
      [Symbol.asyncDispose]: async () => resources.disposeAsync(),
    }
  }

  test('an approval is good once, for exactly one of many who use it at once', async () => {
    await using world = await open()
    const expiresAt = world.clock.now() + 60

    const claims = await Promise.all(
      Array.from({ length: 50 }, async () => world.approvals.claimOnce('a', expiresAt)),
    )

    expect(claims.filter(Boolean)).toHaveLength(1)
  })

  test('an approval is free again at the exact second, and never given when it is over', async () => {
    await using world = await open()
    const start = world.clock.now()
    await world.approvals.claimOnce('a', start + 60)

    world.clock.advance(59)
    const before = await world.approvals.claimOnce('a', start + 120)
    world.clock.advance(1)
    const over = await world.approvals.claimOnce('a', start + 60)
    const at = await world.approvals.claimOnce('a', start + 120)

    expect([before, over, at]).toEqual([false, false, true])
  })

  test('an approval and a grant of the same name are two things', async () => {
    await using world = await open()
    const expiresAt = world.clock.now() + 60
    await world.callCounter.take([{ identifier: 'a', max: 1 }], expiresAt)

    expect(await world.approvals.claimOnce('a', expiresAt)).toBe(true)
  })

  test('what is over is pruned, however much, and nothing that is live', async () => {
    await using world = await open()
    const { approvals, clock, database } = world
    const now = clock.now()
    const over = Array.from({ length: 2 * LIMIT_USE_PRUNE_BATCH_SIZE + 1 }, (_, at) => ({
      use_key: `over-${String(at)}`,
      used: 1,
      expires_at: now + 60,
    }))
    await database.db.insertInto('limit_use').values(over).execute()
    await approvals.claimOnce('live', now + 61)
    clock.advance(60)

    const pruned = await world.prune()

    const left = await database.db.selectFrom('limit_use').select('use_key').execute()
    expect([pruned, left]).toEqual([over.length, [{ use_key: 'once:live' }]])
  })
})
