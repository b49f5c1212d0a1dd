// What every replay memory does is in the suite that runs on all adapters; here is what only this one
// and the one on Redis have.
import { describe, expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { createRedisReplayMemory } from './replay-memory-redis.ts'
import { createLocalReplayMemory, toReplayKey } from './replay-memory.ts'

describe('the memory in this process', () => {
  test('refuses further claims when it is full, and forgets none', async () => {
    // Attack: pushing a used proof out by a flood of others, then using it again.
    const clock = createSettableClock()
    const memory = createLocalReplayMemory({ clock, maxClaims: 2 })
    const expiresAt = clock.now() + 60
    await memory.claimOnce('used', expiresAt)
    await memory.claimOnce('other', expiresAt)

    const flood = memory.claimOnce('flood', expiresAt)

    await expect(flood).rejects.toMatchObject({ code: 'replay_memory_unavailable' })
    expect(await memory.claimOnce('used', expiresAt)).toBe(false)
  })

  test('has room again for each claim that is over', async () => {
    const clock = createSettableClock()
    const memory = createLocalReplayMemory({ clock, maxClaims: 2 })
    const start = clock.now()
    await memory.claimOnce('short', start + 10)
    await memory.claimOnce('long', start + 60)
    clock.advance(10)

    const fits = await memory.claimOnce('next', start + 60)
    const tooMany = memory.claimOnce('more', start + 60)

    expect(fits).toBe(true)
    await expect(tooMany).rejects.toMatchObject({ code: 'replay_memory_unavailable' })
  })
})

describe('the memory on Redis', () => {
  test('says that it cannot be asked when Redis is gone', async () => {
    const clock = createSettableClock()
    const client = { set: async () => Promise.reject(new Error('connect ECONNREFUSED')) }
    const memory = createRedisReplayMemory({ client, clock })

    const claim = memory.claimOnce('a', clock.now() + 60)

    await expect(claim).rejects.toMatchObject({ code: 'replay_memory_unavailable' })
  })

  test('claims by one command that neither renews nor lasts for ever', async () => {
    const clock = createSettableClock()
    const sent: unknown[] = []
    const client = {
      set: async (...command: unknown[]): Promise<'OK'> => {
        sent.push(command)
        return 'OK'
      },
    }
    const memory = createRedisReplayMemory({ client, clock, keyPrefix: 'test:' })

    await memory.claimOnce('a', clock.now() + 60)

    expect(sent).toEqual([['test:a', '', 'PX', 60_000, 'NX']])
  })
})

describe('toReplayKey', () => {
  test('is as long for a short text as for a long one', () => {
    // Attack: filling the memory with identifiers as long as a request may be.
    expect(toReplayKey('dpop', 'x'.repeat(10_000))).toHaveLength(toReplayKey('dpop', 'x').length)
  })

  test.each([
    [
      ['a', 'bc'],
      ['ab', 'c'],
    ],
    [['a', 'b'], ['a,b']],
    [['a', ''], ['a']],
  ])('does not take %j for %j', (one, other) => {
    expect(toReplayKey('dpop', ...one)).not.toBe(toReplayKey('dpop', ...other))
  })

  test('keeps the uses of one memory apart', () => {
    expect(toReplayKey('dpop', 'a')).not.toBe(toReplayKey('assertion', 'a'))
  })
})
