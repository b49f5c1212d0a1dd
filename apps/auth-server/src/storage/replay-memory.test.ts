import { describe, expect, test } from 'vitest'
import {
  REPLAY_MEMORY_ADAPTERS,
  STORED_REPLAY_MEMORY_ADAPTERS,
  type StoredHarness,
} from '../../test-support/replay-memories.ts'
import { createKyselyReplayMemory, PRUNE_BATCH_SIZE } from './replay-memory.ts'

describe.each(REPLAY_MEMORY_ADAPTERS)('ReplayMemory on $name', (adapter) => {
  test('gives a key once', async () => {
    await using harness = await adapter.create()
    const expiresAt = harness.clock.now() + 60

    const first = await harness.memory.claimOnce('a', expiresAt)
    const again = await harness.memory.claimOnce('a', expiresAt)

    expect([first, again]).toEqual([true, false])
  })

  test('keeps keys apart', async () => {
    await using harness = await adapter.create()
    const expiresAt = harness.clock.now() + 60

    const claims = await Promise.all(
      ['a', 'b', 'A', 'a '].map(async (key) => harness.memory.claimOnce(key, expiresAt)),
    )

    expect(claims).toEqual([true, true, true, true])
  })

  test('gives a key to exactly one of many who ask at once', async () => {
    // Attack: the same proof sent twice at the same moment, to pass between the check and the write.
    await using harness = await adapter.create()
    const expiresAt = harness.clock.now() + 60

    const claims = await Promise.all(
      Array.from({ length: 50 }, async () => harness.memory.claimOnce('a', expiresAt)),
    )

    expect(claims.filter(Boolean)).toHaveLength(1)
  })

  test('holds a claim to the last second, and frees the key at its expiry', async () => {
    await using harness = await adapter.create()
    const expiresAt = harness.clock.now() + 60
    await harness.memory.claimOnce('a', expiresAt)

    await harness.advance(59)
    const before = await harness.memory.claimOnce('a', expiresAt + 60)
    await harness.advance(1)
    const at = await harness.memory.claimOnce('a', expiresAt + 60)

    expect([before, at]).toEqual([false, true])
  })

  test('does not renew a claim when it is asked for again', async () => {
    // Attack: whoever replays may not move the end of the claim, either way.
    await using harness = await adapter.create()
    const start = harness.clock.now()
    await harness.memory.claimOnce('a', start + 60)
    await harness.memory.claimOnce('a', start + 10)
    await harness.memory.claimOnce('a', start + 600)

    await harness.advance(59)
    const before = await harness.memory.claimOnce('a', start + 600)
    await harness.advance(1)
    const at = await harness.memory.claimOnce('a', start + 600)

    expect([before, at]).toEqual([false, true])
  })

  test('holds a key that was free again for the whole of its second claim', async () => {
    await using harness = await adapter.create()
    const start = harness.clock.now()
    await harness.memory.claimOnce('a', start + 60)
    await harness.advance(60)
    await harness.memory.claimOnce('a', start + 120)

    await harness.advance(59)
    const claim = await harness.memory.claimOnce('a', start + 240)

    expect(claim).toBe(false)
  })

  test('never gives a claim that would be over already', async () => {
    // Attack: what expires now would be free again at once, so it could be used without end.
    await using harness = await adapter.create()
    const now = harness.clock.now()

    const claims = [
      await harness.memory.claimOnce('a', now),
      await harness.memory.claimOnce('b', now - 1),
    ]

    expect(claims).toEqual([false, false])
  })
})

describe.each(STORED_REPLAY_MEMORY_ADAPTERS)('the memory in $name', (adapter) => {
  async function openStored(): Promise<StoredHarness> {
    if (adapter.open === undefined) throw new Error('not in a database')
    return adapter.open()
  }

  test('prunes what is over, however much, and nothing that is live', async () => {
    await using harness = await openStored()
    const { database, memory } = harness
    const now = harness.clock.now()
    const over = Array.from({ length: 2 * PRUNE_BATCH_SIZE + 1 }, (_, index) => ({
      claim_key: `over-${String(index)}`,
      expires_at: now + 60,
    }))
    await database.db.insertInto('replay_claim').values(over).execute()
    await memory.claimOnce('live', now + 61)
    await harness.advance(60)

    const pruned = await memory.prune()

    expect(pruned).toBe(over.length)
    expect(await database.db.selectFrom('replay_claim').selectAll().execute()).toEqual([
      { claim_key: 'live', expires_at: now + 61 },
    ])
  })

  test('remembers what another instance claimed', async () => {
    await using harness = await openStored()
    const { clock, database } = harness
    const other = createKyselyReplayMemory({ database, clock })
    await harness.memory.claimOnce('a', clock.now() + 60)

    const claim = await other.claimOnce('a', clock.now() + 60)

    expect(claim).toBe(false)
  })
})
