// Several servers on one store.
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { START_AT } from '../../test-support/clock.ts'
import {
  isSignedBy,
  makeSealingKey,
  openTestKeyRing,
  signToken,
} from '../../test-support/signing-keys.ts'
import { createStorage, STORAGE_ADAPTERS } from '../../test-support/storage-adapters.ts'
import { openStorage } from '../storage/open-storage.ts'
import { createAesGcmKeySealer } from './aes-gcm-key-sealer.ts'
import type { KeyRing } from './key-ring.ts'
import type { SigningKeyStore } from './signing-key-store.ts'

const ROTATE_EVERY = 1000
const PUBLISH = 120

const kidsOf = (ring: KeyRing) => ring.publicKeys().keys.map(({ kid }) => kid)

async function openRings(store: SigningKeyStore, count: number) {
  const clock = createSettableClock()
  const open = async () => openTestKeyRing({ store, clock, rotateEverySeconds: ROTATE_EVERY })
  return { clock, rings: await Promise.all(Array.from({ length: count }, open)) }
}

describe.each(STORAGE_ADAPTERS)('rings on one store on $name', (adapter) => {
  test('agree on their keys when all of them start first', async () => {
    await using storage = await createStorage(adapter)

    const { rings } = await openRings(storage.signingKeys, 5)

    expect(new Set(rings.map((ring) => ring.signer().kid)).size).toBe(1)
    expect(new Set(rings.map((ring) => kidsOf(ring).join(' '))).size).toBe(1)
    expect(await storage.signingKeys.list()).toHaveLength(2)
  })

  test('rotate once when all of them see that it is time', async () => {
    await using storage = await createStorage(adapter)
    const { clock, rings } = await openRings(storage.signingKeys, 5)
    const [active, next] = rings[0] === undefined ? [] : kidsOf(rings[0])
    clock.advance(ROTATE_EVERY)

    await Promise.all(rings.map(async (ring) => ring.tick()))

    expect(rings.map((ring) => ring.signer().kid)).toEqual(rings.map(() => next))
    const states = (await storage.signingKeys.list()).map(({ kid, state }) => ({ kid, state }))
    expect(states).toHaveLength(3)
    expect(states).toContainEqual({ kid: active, state: 'retired' })
  })

  test('rotate once when all of them are told to', async () => {
    await using storage = await createStorage(adapter)
    const { clock, rings } = await openRings(storage.signingKeys, 5)
    clock.advance(PUBLISH)

    const results = await Promise.all(rings.map(async (ring) => ring.rotate()))

    expect(results.filter(({ ok }) => ok)).toHaveLength(1)
    // Whoever looked after the first had rotated finds a next key that is not public long enough.
    const reasons = results.flatMap((result) => (result.ok ? [] : [result.refusal.reason]))
    expect(['next_key_not_ready', 'rotated_meanwhile']).toEqual(expect.arrayContaining(reasons))
    expect(new Set(rings.map((ring) => ring.signer().kid)).size).toBe(1)
  })

  test('agree on one key when all of them throw the keys away at once', async () => {
    await using storage = await createStorage(adapter)
    const { rings } = await openRings(storage.signingKeys, 5)
    const thrownAway = rings[0]?.signer().kid

    const results = await Promise.all(rings.map(async (ring) => ring.rotate({ immediately: true })))

    expect(results.filter(({ ok }) => ok).length).toBeGreaterThan(0)
    await Promise.all(rings.map(async (ring) => ring.reload()))
    const kids = new Set(rings.map((ring) => ring.signer().kid))
    expect(kids.size).toBe(1)
    expect(kids).not.toContain(thrownAway)
  })

  test('follow a rotation once they reload; what they sign until then stays good', async () => {
    await using storage = await createStorage(adapter)
    const { clock, rings } = await openRings(storage.signingKeys, 2)
    const [one, two] = rings
    if (one === undefined || two === undefined) throw new TypeError('there are no two rings')
    clock.advance(PUBLISH)
    await one.rotate()

    const late = await signToken(two.signer())
    const early = await signToken(one.signer())

    expect(one.signer().kid).not.toBe(two.signer().kid)
    for (const token of [early, late]) {
      expect(await isSignedBy(token, one.publicKeys())).toBe(true)
      expect(await isSignedBy(token, two.publicKeys())).toBe(true)
    }
    await two.reload()
    expect(two.signer().kid).toBe(one.signer().kid)
    expect(two.publicKeys()).toEqual(one.publicKeys())
  })

  test('go on when another server has sealed the keys under a key that they do not have yet', async () => {
    // The sealing key is being changed, one server after the other.
    await using storage = await createStorage(adapter)
    const { signingKeys: store } = storage
    const { clock, rings } = await openRings(store, 1)
    const previousKeys = [makeSealingKey(1)]
    const source = 'DEPUTY_KEY_ENCRYPTION_KEY'
    const sealer = createAesGcmKeySealer({ key: makeSealingKey(2), previousKeys, source })
    const changed = await openTestKeyRing({ store, clock, sealer })

    await rings[0]?.reload()

    expect(rings[0]?.signer().kid).toBe(changed.signer().kid)
  })

  test('serve the JWKS of now also when they cannot open the key that signs now', async () => {
    await using storage = await createStorage(adapter)
    const { signingKeys: store } = storage
    const { clock, rings } = await openRings(store, 1)
    const previousKeys = [makeSealingKey(1)]
    const source = 'DEPUTY_KEY_ENCRYPTION_KEY'
    const sealer = createAesGcmKeySealer({ key: makeSealingKey(2), previousKeys, source })
    const changed = await openTestKeyRing({ store, clock, sealer })
    clock.advance(PUBLISH)
    await changed.rotate()

    await expect(rings[0]?.reload()).rejects.toThrow('sealed under another key')

    expect(rings[0]?.publicKeys()).toEqual(changed.publicKeys())
  })

  test('stay as they are when the store fails, and recover', async () => {
    await using storage = await createStorage(adapter)
    const { signingKeys } = storage
    let isDown = false
    const store: SigningKeyStore = {
      ...signingKeys,
      async list() {
        if (isDown) throw new Error('the database is away')
        return signingKeys.list()
      },
    }
    const { clock, rings } = await openRings(store, 1)
    const [ring] = rings
    const kid = ring?.signer().kid
    clock.advance(ROTATE_EVERY)
    isDown = true

    await expect(ring?.tick()).rejects.toThrow('the database is away')
    expect(ring?.signer().kid).toBe(kid)
    isDown = false
    await ring?.tick()

    expect(ring?.signer().kid).not.toBe(kid)
  })
})

test('lets processes on one SQLite file rotate once when all of them see that it is time', async () => {
  await using folder = await createTemporaryFolder()
  const file = folder.file('test.sqlite')
  const script = folder.file('tick.mts')
  await writeFile(
    script,
    `import { openStorage } from ${JSON.stringify(import.meta.resolve('../storage/open-storage.ts'))}
    import { openTestKeyRing } from ${JSON.stringify(import.meta.resolve('../../test-support/signing-keys.ts'))}
    const [file, now] = process.argv.slice(2)
    await using storage = await openStorage({ file: file })
    const clock = { now: () => Number(now) }
    const ring = await openTestKeyRing({ store: storage.signingKeys, clock, rotateEverySeconds: ${String(ROTATE_EVERY)} })
    await ring.tick()
    console.log(ring.signer().kid)
    `,
  )
  const run = async (now: number) => {
    const options = ['--no-warnings', '--conditions=@deputy/source', script, file, String(now)]
    return (await promisify(execFile)(process.execPath, options)).stdout.trim()
  }
  const first = await run(START_AT)

  const kids = await Promise.all(
    Array.from({ length: 3 }, async () => run(START_AT + ROTATE_EVERY)),
  )

  expect(new Set(kids).size).toBe(1)
  expect(kids[0]).not.toBe(first)
  await using storage = await openStorage({ file: file })
  expect(await storage.signingKeys.list()).toHaveLength(3)
})
