import { describe, expect, test } from 'vitest'
import { START_AT } from '../../test-support/clock.ts'
import { makeActiveKey, makeNextKey, toRetired } from '../../test-support/signing-keys.ts'
import { createStorage, STORAGE_ADAPTERS } from '../../test-support/storage-adapters.ts'
import type { SigningKeyStore } from '../keys/signing-key-store.ts'

const LATER = START_AT + 100

/** An active key `one` and a next key `two`. */
async function insertTwo(store: SigningKeyStore): Promise<void> {
  await store.insertFirst(makeActiveKey('one'))
  await store.insertNext(makeNextKey('two'))
}

const rotation = (next: string) =>
  ({ retire: 'one', activate: 'two', next: makeNextKey(next, LATER), now: LATER }) as const
const replacement = (name: string) => ({
  activeKid: 'one',
  active: makeActiveKey(`active ${name}`),
  next: makeNextKey(`next ${name}`),
})

describe.each(STORAGE_ADAPTERS)('SigningKeyStore on $name', (adapter) => {
  test('lists keys as they were inserted, the newest first', async () => {
    await using storage = await createStorage(adapter)
    const { signingKeys: store } = storage

    const inserted = [
      await store.insertFirst(makeActiveKey('one')),
      await store.insertNext(makeNextKey('two', LATER)),
    ]

    expect(inserted).toEqual([true, true])
    expect(await store.list()).toEqual([makeNextKey('two', LATER), makeActiveKey('one')])
  })

  test('keeps the first key when another comes as first', async () => {
    await using storage = await createStorage(adapter)
    await storage.signingKeys.insertFirst(makeActiveKey('one'))

    const inserted = await storage.signingKeys.insertFirst(makeActiveKey('two'))

    expect(inserted).toBe(false)
    expect(await storage.signingKeys.list()).toEqual([makeActiveKey('one')])
  })

  test('keeps the next key when another comes as next', async () => {
    await using storage = await createStorage(adapter)
    await insertTwo(storage.signingKeys)

    const inserted = await storage.signingKeys.insertNext(makeNextKey('three'))

    expect(inserted).toBe(false)
    expect(await storage.signingKeys.list()).toEqual([makeActiveKey('one'), makeNextKey('two')])
  })

  test('puts a key in the place of the next one that is named, and of no other', async () => {
    await using storage = await createStorage(adapter)
    await insertTwo(storage.signingKeys)

    const answers = [
      await storage.signingKeys.replaceNext('one', makeNextKey('for an active key')),
      await storage.signingKeys.replaceNext('two', makeNextKey('three')),
      await storage.signingKeys.replaceNext('two', makeNextKey('for one that is gone')),
    ]

    expect(answers).toEqual([false, true, false])
    expect(await storage.signingKeys.list()).toEqual([makeActiveKey('one'), makeNextKey('three')])
  })

  test('rotates, and erases the private half of the key that is retired', async () => {
    await using storage = await createStorage(adapter)
    await insertTwo(storage.signingKeys)

    const isRotated = await storage.signingKeys.rotate(rotation('three'))

    expect(isRotated).toBe(true)
    expect(await storage.signingKeys.list()).toEqual([
      makeNextKey('three', LATER),
      toRetired(makeActiveKey('one'), LATER),
      makeActiveKey('two', LATER),
    ])
  })

  test.each([
    ['the active key', { ...rotation('three'), retire: 'stranger' }],
    ['the next key', { ...rotation('three'), activate: 'stranger' }],
  ])('changes nothing when %s is another one by now', async (_what, stale) => {
    await using storage = await createStorage(adapter)
    await insertTwo(storage.signingKeys)

    const isRotated = await storage.signingKeys.rotate(stale)

    expect(isRotated).toBe(false)
    expect(await storage.signingKeys.list()).toEqual([makeActiveKey('one'), makeNextKey('two')])
  })

  test('removes every key and begins with two others', async () => {
    await using storage = await createStorage(adapter)
    await insertTwo(storage.signingKeys)
    await storage.signingKeys.rotate(rotation('three'))

    const answers = [
      await storage.signingKeys.replaceAll(replacement('of a stale view')),
      await storage.signingKeys.replaceAll({ ...replacement('a'), activeKid: 'two' }),
    ]

    expect(answers).toEqual([false, true])
    expect(await storage.signingKeys.list()).toEqual([
      makeActiveKey('active a'),
      makeNextKey('next a'),
    ])
  })

  test('replaces what a key is sealed as, once', async () => {
    await using storage = await createStorage(adapter)
    const key = makeActiveKey('one')
    await storage.signingKeys.insertFirst(key)
    const from = key.sealedPrivateKey

    const answers = [
      await storage.signingKeys.reseal('one', { from, to: 'v1.anew' }),
      await storage.signingKeys.reseal('one', { from, to: 'v1.late' }),
    ]

    expect(answers).toEqual([true, false])
    expect(await storage.signingKeys.list()).toEqual([{ ...key, sealedPrivateKey: 'v1.anew' }])
  })

  test.each([
    { before: LATER - 1, left: ['one', 'three', 'two'] },
    { before: LATER, left: ['three', 'two'] },
  ])('removes what was retired at $before or earlier, and nothing else', async (row) => {
    await using storage = await createStorage(adapter)
    await insertTwo(storage.signingKeys)
    await storage.signingKeys.rotate(rotation('three'))

    await storage.signingKeys.removeRetired(row.before)

    const kids = (await storage.signingKeys.list()).map(({ kid }) => kid)
    expect(kids.toSorted()).toEqual(row.left)
  })

  test.each([
    {
      act: 'first keys',
      begin: async () => {},
      run: async (store: SigningKeyStore, name: string) => store.insertFirst(makeActiveKey(name)),
      left: 1,
    },
    {
      act: 'next keys',
      begin: async () => {},
      run: async (store: SigningKeyStore, name: string) => store.insertNext(makeNextKey(name)),
      left: 1,
    },
    {
      act: 'replacements of the next key',
      begin: insertTwo,
      run: async (store: SigningKeyStore, name: string) =>
        store.replaceNext('two', makeNextKey(name)),
      left: 2,
    },
    {
      act: 'rotations',
      begin: insertTwo,
      run: async (store: SigningKeyStore, name: string) => store.rotate(rotation(name)),
      left: 3,
    },
    {
      act: 'replacements of all keys',
      begin: insertTwo,
      run: async (store: SigningKeyStore, name: string) => store.replaceAll(replacement(name)),
      left: 2,
    },
  ])('lets one of many $act win that come at the same time', async ({ begin, left, run }) => {
    await using storage = await createStorage(adapter)
    await begin(storage.signingKeys)

    const won = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => run(storage.signingKeys, `key ${String(i)}`)),
    )

    expect(won.filter(Boolean)).toHaveLength(1)
    expect(await storage.signingKeys.list()).toHaveLength(left)
  })

  test('changes nothing in an act that goes on, when another was faster with half of it', async () => {
    await using storage = await createStorage(adapter)
    const { signingKeys: store } = storage
    await insertTwo(store)
    await store.replaceNext('two', makeNextKey('another'))
    const before = await store.list()

    const rotated = await storage.act(async ({ owners, signingKeys }) => {
      const isDone = await signingKeys.rotate(rotation('three'))
      await owners.insert({ id: 'acme', name: 'Acme', createdAt: LATER })
      return isDone
    })

    expect(rotated).toBe(false)
    expect(await store.list()).toEqual(before)
    expect(await storage.owners.find('acme')).toMatchObject({ name: 'Acme' })
  })

  test('rotates in an act that is committed as a whole, or not at all', async () => {
    await using storage = await createStorage(adapter)
    const { signingKeys: store } = storage
    await insertTwo(store)
    const before = await store.list()

    const undone = storage.act(async ({ signingKeys }) => {
      await signingKeys.rotate(rotation('three'))
      throw new Error('the rest failed')
    })

    await expect(undone).rejects.toThrow('the rest failed')
    expect(await store.list()).toEqual(before)
    const act = storage.act(async ({ signingKeys }) => signingKeys.rotate(rotation('three')))
    expect(await act).toBe(true)
    expect(await store.list()).toHaveLength(3)
  })

  test('keeps everything when it is opened again', async () => {
    await using place = await adapter.createPlace()
    const before = await place.open()
    await insertTwo(before.signingKeys)
    await before.signingKeys.rotate(rotation('three'))
    const keys = await before.signingKeys.list()
    await before.close()

    await using after = await place.open()

    expect(keys).toHaveLength(3)
    expect(await after.signingKeys.list()).toEqual(keys)
  })
})
