import { describe, expect, test } from 'vitest'
import { START_AT } from '../../test-support/clock.ts'
import { createStorage, STORAGE_ADAPTERS } from '../../test-support/storage-adapters.ts'
import type { Denial } from '../revocation/revocation-store.ts'

const deny = (id: string, kind: Denial['kind'] = 'grant'): Denial => ({
  kind,
  id,
  expiresAt: START_AT + 900,
})

describe.each(STORAGE_ADAPTERS)('revocations in $name', (adapter) => {
  test('are numbered in the order in which they come to be seen', async () => {
    await using storage = await createStorage(adapter)
    const ids = Array.from({ length: 20 }, (_, index) => `grant-${String(index)}`)

    await Promise.all(
      ids.map(async (id) =>
        storage.act(async ({ revocations }) => revocations.insert(deny(id), START_AT)),
      ),
    )

    const entries = await storage.revocations.listAfter(0, 100)
    expect(entries.map(({ seq }) => seq)).toEqual(ids.map((_, index) => index + 1))
    expect(entries.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
    expect(await storage.revocations.head()).toMatchObject({ seq: 20 })
    expect(await storage.revocations.listAfter(18, 1)).toMatchObject([{ seq: 19 }])
  })

  test('deny what stands on them, and nothing else', async () => {
    await using storage = await createStorage(adapter)
    const { revocations } = storage
    await revocations.insert(deny('token-1'), START_AT)
    await revocations.insert(deny('agent-bob', 'agent'), START_AT)
    const find = async (grantIds: string[], agentIds: string[]) =>
      (await revocations.findDenial({ grantIds, agentIds }))?.id

    expect(await find(['root', 'token-1', 'token-2'], ['agent-alice'])).toBe('token-1')
    expect(await find(['token-2'], ['agent-alice', 'agent-bob'])).toBe('agent-bob')
    expect(await find(['agent-bob'], ['token-1'])).toBeUndefined()
    expect(await find(['root', 'token-2'], ['agent-alice'])).toBeUndefined()
    expect(await find(['token-1'], [])).toBe('token-1')
    expect(await find([], ['agent-bob'])).toBe('agent-bob')
    expect(await find([], [])).toBeUndefined()
  })

  test('say once what is denied for as long already, and again what is denied for longer', async () => {
    await using storage = await createStorage(adapter)
    const { revocations } = storage

    const first = await revocations.insert(deny('token-1'), START_AT)
    const same = await revocations.insert(deny('token-1'), START_AT)
    const longer = await revocations.insert(
      { ...deny('token-1'), expiresAt: START_AT + 901 },
      START_AT,
    )

    expect([first, same, longer]).toEqual([true, false, true])
    expect(await revocations.listAfter(0, 10)).toMatchObject([
      { seq: 2, expiresAt: START_AT + 901 },
    ])
  })

  test('are forgotten when what they deny is over, and their numbers never come again', async () => {
    await using storage = await createStorage(adapter)
    const { revocations } = storage
    await revocations.insert(deny('token-1'), START_AT)

    expect(await revocations.prune(START_AT + 899)).toBe(0)
    expect(await revocations.prune(START_AT + 900)).toBe(1)

    await revocations.insert(deny('token-2'), START_AT)
    expect(await revocations.listAfter(0, 10)).toMatchObject([{ id: 'token-2', seq: 2 }])
  })

  test('are heard of once they are on disk, and not when they are undone', async () => {
    await using storage = await createStorage(adapter)
    const heard: number[] = []
    storage.revocationSignal.onRevoked(() => heard.push(heard.length))

    const undone = storage.act(async ({ revocations }) => {
      await revocations.insert(deny('token-1'), START_AT)
      throw new Error('changed my mind')
    })
    await expect(undone).rejects.toThrow('changed my mind')
    const before = heard.length
    await storage.act(async ({ revocations }) => revocations.insert(deny('token-1'), START_AT))

    expect(heard.length).toBeGreaterThan(before)
  })

  test('stand beside changes, which deny nobody and are told each time, also in the same second', async () => {
    await using storage = await createStorage(adapter)
    const { revocations } = storage
    const change = { kind: 'change', id: 'agent-bob', expiresAt: START_AT + 600 } as const
    const heard: number[] = []
    storage.revocationSignal.onRevoked(() => heard.push(heard.length))

    await storage.act(async (stores) => stores.revocations.insertChange(change, START_AT))
    const before = heard.length
    await storage.act(async (stores) => stores.revocations.insertChange(change, START_AT))

    expect(await revocations.listAfter(0, 10)).toMatchObject([{ ...change, seq: 2 }])
    expect(heard.length).toBeGreaterThan(before)
    expect(
      await revocations.findDenial({ grantIds: ['agent-bob'], agentIds: ['agent-bob'] }),
    ).toBeUndefined()
    expect(await revocations.prune(START_AT + 600)).toBe(1)
  })

  test('of a name for agents and of one for grants are two things', async () => {
    await using storage = await createStorage(adapter)
    const { revocations } = storage

    await revocations.insert(deny('same-name', 'agent'), START_AT)

    expect(await revocations.insert(deny('same-name'), START_AT)).toBe(true)
  })
})

describe.each(STORAGE_ADAPTERS.filter(({ name }) => name === 'PostgreSQL'))(
  'two servers on $name',
  (adapter) => {
    test('hear of what the other one revoked', async () => {
      await using place = await adapter.createPlace()
      await using here = await place.open()
      await using there = await place.open()
      const listening = Promise.withResolvers<void>()
      const heard = Promise.withResolvers<string | undefined>()
      const readFirst = async (): Promise<void> => {
        const [first] = await here.revocations.listAfter(0, 1)
        if (first !== undefined) heard.resolve(first.id)
      }
      here.revocationSignal.onRevoked(() => {
        listening.resolve()
        void readFirst()
      })
      // Said once the connection listens: what came before it was not heard.
      await listening.promise

      await there.act(async ({ revocations }) => revocations.insert(deny('token-1'), START_AT))

      expect(await heard.promise).toBe('token-1')
    })
  },
)
