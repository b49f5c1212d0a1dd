import { describe, expect, test } from 'vitest'
import { createStorage, makeAgent, STORAGE_ADAPTERS } from '../../test-support/storage-adapters.ts'
import { endOwner } from '../owners/end-owner.ts'
import type { Owner } from '../owners/owner.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'

const acme: Owner = { id: 'acme', name: 'Acme', createdAt: 1_800_000_000 }
const LATER = acme.createdAt + 60

describe.each(STORAGE_ADAPTERS)('OwnerStore on $name', (adapter) => {
  test('finds an owner as it was inserted, renamed and ended', async () => {
    await using storage = await createStorage(adapter)
    const { owners } = storage
    const inserted = await owners.insert(acme)
    const again = await owners.insert({ ...acme, name: 'Other' })

    const renamed = await owners.rename('acme', 'Acme Inc.')
    const ended = await owners.deactivate('acme', LATER)

    expect([inserted, again]).toEqual([true, false])
    expect(renamed).toEqual({ ...acme, name: 'Acme Inc.' })
    expect(ended).toEqual({ ...renamed, deactivatedAt: LATER })
    expect(await owners.find('acme')).toEqual(ended)
    expect(await owners.list({ within: EVERY_OWNER, limit: 10 })).toEqual([ended])
  })

  test('keeps the time of the first end, and knows no owner that was never there', async () => {
    await using storage = await createStorage(adapter)
    const { owners } = storage
    await owners.insert(acme)
    await owners.deactivate('acme', LATER)

    expect((await owners.deactivate('acme', LATER + 60))?.deactivatedAt).toBe(LATER)
    expect(await owners.deactivate('nobody', LATER)).toBeUndefined()
    expect(await owners.rename('nobody', 'x')).toBeUndefined()
  })

  test('holds an owner that is active, and no other', async () => {
    await using storage = await createStorage(adapter)
    const { owners } = storage
    await owners.insert(acme)

    const active = await owners.hold('acme')
    await owners.deactivate('acme', LATER)

    expect([active, await owners.hold('acme'), await owners.hold('nobody')]).toEqual([
      true,
      false,
      false,
    ])
  })

  test('leaves no agent active that was made while its owner ended', async () => {
    // Attack: an administrator who is being shut out makes agents in that very moment.
    await using storage = await createStorage(adapter)
    await storage.owners.insert(acme)
    const make = async (index: number) =>
      storage.act(async (stores) => {
        if (!(await stores.owners.hold('acme'))) return
        await stores.agents.insert(makeAgent({ id: `acme-${String(index)}`, ownerId: 'acme' }))
      })
    const end = async () =>
      storage.act(async (stores) => {
        await stores.owners.deactivate('acme', LATER)
        await endOwner(stores, 'acme', LATER)
      })

    const before = Array.from({ length: 10 }, async (_, index) => make(index))
    const ending = end()
    const after = Array.from({ length: 10 }, async (_, index) => make(10 + index))
    await Promise.all([...before, ending, ...after])

    const agents = await storage.agents.list({ within: 'acme', limit: 100 })
    expect(agents.filter(({ state }) => state === 'active')).toEqual([])
  })
})
