import { describe, expect, test } from 'vitest'
import { START_AT } from '../../test-support/clock.ts'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { createStorage, STORAGE_ADAPTERS } from '../../test-support/storage-adapters.ts'
import { openKeyRing } from '../keys/key-ring.ts'
import type { SigningKeyRecord } from '../keys/signing-key-store.ts'

function makeSigningKey(kid: string): SigningKeyRecord {
  const publicJwk = { kty: 'EC', crv: 'P-256', x: `x of ${kid}`, y: `y of ${kid}` }
  const privateJwk = { ...publicJwk, d: `d of ${kid}` }
  return { kid, algorithm: 'ES256', publicJwk, privateJwk, createdAt: START_AT }
}

describe.each(STORAGE_ADAPTERS)('SigningKeyStore on $name', (adapter) => {
  test('lists the first key as it was inserted', async () => {
    await using storage = await createStorage(adapter)

    await storage.signingKeys.insertFirst(makeSigningKey('one'))

    expect(await storage.signingKeys.list()).toEqual([makeSigningKey('one')])
  })

  test('keeps the first key when a second comes as first', async () => {
    await using storage = await createStorage(adapter)
    await storage.signingKeys.insertFirst(makeSigningKey('one'))

    await storage.signingKeys.insertFirst(makeSigningKey('two'))

    expect(await storage.signingKeys.list()).toEqual([makeSigningKey('one')])
  })

  test('keeps one of many first keys that come at the same time', async () => {
    await using storage = await createStorage(adapter)
    const keys = Array.from({ length: 20 }, (_, i) => makeSigningKey(`key-${String(i)}`))

    await Promise.all(keys.map(async (key) => storage.signingKeys.insertFirst(key)))

    expect(await storage.signingKeys.list()).toHaveLength(1)
  })

  test('makes two first starts on one place agree on one signing key', async () => {
    // Otherwise each would refuse the tokens of the other until the next restart.
    await using place = await adapter.createPlace()
    await using one = await place.open()
    await using two = await place.open()
    const clock = createSettableClock()

    const rings = await Promise.all([
      openKeyRing(one.signingKeys, clock),
      openKeyRing(two.signingKeys, clock),
    ])

    expect(rings[0].signing.kid).toBe(rings[1].signing.kid)
    expect(rings[0].publicKeys).toEqual(rings[1].publicKeys)
    expect(rings[0].publicKeys.keys).toHaveLength(1)
  })

  test('keeps everything when it is opened again', async () => {
    await using place = await adapter.createPlace()
    const before = await place.open()
    await before.signingKeys.insertFirst(makeSigningKey('one'))
    await before.close()

    await using after = await place.open()

    expect(await after.signingKeys.list()).toEqual([makeSigningKey('one')])
  })
})
