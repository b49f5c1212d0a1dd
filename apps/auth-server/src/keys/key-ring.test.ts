import type { SignatureAlgorithm } from '@deputy/auth/protocol'
import { describe, expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { START_AT } from '../../test-support/clock.ts'
import {
  isSignedBy,
  makeSealingKey,
  openTestKeyRing,
  signToken,
  TEST_SEALER,
} from '../../test-support/signing-keys.ts'
import { openStorage, type Storage } from '../storage/open-storage.ts'
import { createAesGcmKeySealer } from './aes-gcm-key-sealer.ts'
import type { KeyRing } from './key-ring.ts'

const ROTATE_EVERY = 10_000
/** Seconds of reload, of cache and of skew. */
const PUBLISH = 30 + 60 + 30
/** Seconds of reload, of the longest token, of cache and of tolerance. */
const RETAIN = 30 + 1800 + 60 + 300

async function createRing(options: { algorithm?: SignatureAlgorithm } = {}) {
  const storage = await openStorage({ file: ':memory:' })
  const clock = createSettableClock()
  const open = async (more: { algorithm?: SignatureAlgorithm } = {}): Promise<KeyRing> =>
    openTestKeyRing({
      store: storage.signingKeys,
      clock,
      rotateEverySeconds: ROTATE_EVERY,
      ...options,
      ...more,
    })
  const dispose = async (): Promise<void> => storage.close()
  return { storage, clock, open, ring: await open(), [Symbol.asyncDispose]: dispose }
}

async function statesOf(storage: Storage): Promise<readonly string[]> {
  return (await storage.signingKeys.list()).map(({ state }) => state).toSorted()
}

const kidsOf = (ring: KeyRing) => ring.publicKeys().keys.map(({ kid }) => kid)

describe('a ring that is opened', () => {
  test('makes an active and a next key on an empty store, and publishes both', async () => {
    await using world = await createRing()

    expect(await statesOf(world.storage)).toEqual(['active', 'next'])
    expect(world.ring.publicKeys().keys).toEqual([
      expect.objectContaining({ kid: world.ring.signer().kid, alg: 'ES256', use: 'sig' }),
      expect.objectContaining({ alg: 'ES256', use: 'sig' }),
    ])
  })

  test('publishes no private half', async () => {
    // Attack: the JWKS is read by everybody.
    await using world = await createRing({ algorithm: 'RS256' })

    const names = world.ring.publicKeys().keys.map((key) => Object.keys(key).toSorted())

    expect(names).toEqual(names.map(() => ['alg', 'e', 'kid', 'kty', 'n', 'use']))
  })

  test('has the same keys at the next start', async () => {
    await using world = await createRing()

    const again = await world.open()

    expect(again.signer().kid).toBe(world.ring.signer().kid)
    expect(again.publicKeys()).toEqual(world.ring.publicKeys())
  })

  test('is refused when a key was sealed under another key', async () => {
    await using world = await createRing()
    const sealer = createAesGcmKeySealer({ key: makeSealingKey(2), source: 'THE_VARIABLE' })

    const open = openTestKeyRing({ store: world.storage.signingKeys, clock: world.clock, sealer })

    await expect(open).rejects.toThrow(/sealed under another key than that of THE_VARIABLE/)
  })

  test('is refused when only the next key cannot be opened: not in 30 days', async () => {
    await using world = await createRing()
    const next = (await world.storage.signingKeys.list()).find(({ state }) => state === 'next')
    if (next?.state !== 'next') throw new TypeError('there is no next key')
    const to = TEST_SEALER.seal('another kid', 'private')
    await world.storage.signingKeys.reseal(next.kid, { from: next.sealedPrivateKey, to })

    await expect(world.open()).rejects.toThrow(`the signing key ${next.kid} was changed`)
  })

  test('seals everything anew when the sealing key was changed, and needs the former no more', async () => {
    await using world = await createRing()
    const { signingKeys: store } = world.storage
    const [key, former] = [makeSealingKey(2), makeSealingKey(1)]
    const source = 'THE_VARIABLE'
    const changing = createAesGcmKeySealer({ key, previousKeys: [former], source })
    await openTestKeyRing({ store, clock: world.clock, sealer: changing })

    const changed = createAesGcmKeySealer({ key, source })
    const ring = await openTestKeyRing({ store, clock: world.clock, sealer: changed })

    expect(ring.signer().kid).toBe(world.ring.signer().kid)
    await expect(world.open()).rejects.toThrow('sealed under another key')
  })
})

describe('the schedule', () => {
  test.each([
    { after: ROTATE_EVERY - 1, isRotated: false },
    { after: ROTATE_EVERY, isRotated: true },
  ])('rotates $after s after the key became active: $isRotated', async ({ after, isRotated }) => {
    await using world = await createRing()
    const [active, next] = kidsOf(world.ring)
    world.clock.advance(after)

    await world.ring.tick()

    expect(world.ring.signer().kid).toBe(isRotated ? next : active)
    expect(await statesOf(world.storage)).toEqual(
      isRotated ? ['active', 'next', 'retired'] : ['active', 'next'],
    )
  })

  test('counts from when a key became active, not from when it was made', async () => {
    await using world = await createRing()
    world.clock.advance(ROTATE_EVERY)
    await world.ring.tick()
    const second = world.ring.signer().kid

    world.clock.advance(ROTATE_EVERY - 1)
    await world.ring.tick()
    const before = world.ring.signer().kid
    world.clock.advance(1)
    await world.ring.tick()

    expect(before).toBe(second)
    expect(world.ring.signer().kid).not.toBe(second)
  })

  test('never activates a key before it was public for long enough', async () => {
    await using world = await createRing()
    await world.ring.rotate({ immediately: true })
    const eager = await openTestKeyRing({
      store: world.storage.signingKeys,
      clock: world.clock,
      rotateEverySeconds: 1,
    })
    const first = eager.signer().kid

    world.clock.advance(PUBLISH - 1)
    await eager.tick()
    const before = eager.signer().kid
    world.clock.advance(1)
    await eager.tick()

    expect(before).toBe(first)
    expect(eager.signer().kid).not.toBe(first)
  })

  test.each([
    { after: RETAIN - 1, isPublished: true },
    { after: RETAIN, isPublished: false },
  ])('publishes a key $after s after it was retired: $isPublished', async (row) => {
    await using world = await createRing()
    const [retired] = kidsOf(world.ring)
    world.clock.advance(ROTATE_EVERY)
    await world.ring.tick()
    world.clock.advance(row.after)

    expect(kidsOf(world.ring).includes(retired)).toBe(row.isPublished)
    await world.ring.tick()
    expect(await statesOf(world.storage)).toEqual(
      row.isPublished ? ['active', 'next', 'retired'] : ['active', 'next'],
    )
  })

  test('catches up at a start after a long sleep', async () => {
    await using world = await createRing()
    const [, next] = kidsOf(world.ring)
    world.clock.advance(10 * ROTATE_EVERY)

    const ring = await world.open()

    expect(ring.signer().kid).toBe(next)
  })
})

describe('a rotation by command', () => {
  test('is refused until the next key was public for long enough, and says from when on', async () => {
    await using world = await createRing()
    const [active, next] = kidsOf(world.ring)
    world.clock.advance(PUBLISH - 1)

    const early = await world.ring.rotate()
    world.clock.advance(1)
    const inTime = await world.ring.rotate()

    expect(early).toEqual({
      ok: false,
      refusal: { reason: 'next_key_not_ready', readyAt: START_AT + PUBLISH },
    })
    expect(inTime).toEqual({
      ok: true,
      value: { activeKid: next, nextKid: kidsOf(world.ring)[1], formerKid: active },
    })
    expect(world.ring.signer().kid).toBe(next)
  })

  test('keeps what was signed before it good', async () => {
    await using world = await createRing()
    const signer = world.ring.signer()
    const before = await signToken(signer)
    world.clock.advance(PUBLISH)
    await world.ring.rotate()

    const during = await signToken(signer)
    const after = await signToken(world.ring.signer())

    for (const token of [before, during, after]) {
      expect(await isSignedBy(token, world.ring.publicKeys())).toBe(true)
    }
    const restarted = await world.open()
    expect(await isSignedBy(before, restarted.publicKeys())).toBe(true)
  })

  test('leaves no private half of the key that it retires', async () => {
    // Attack: database and sealing key are stolen together, and old keys sign again.
    await using world = await createRing()
    world.clock.advance(PUBLISH)

    await world.ring.rotate()

    const retired = (await world.storage.signingKeys.list()).find((key) => key.state === 'retired')
    expect(retired).toBeDefined()
    expect(retired).not.toHaveProperty('sealedPrivateKey')
  })

  test('immediately throws away every key that may be known to somebody', async () => {
    // Attack: somebody has the active key, and who got at it may have the others as well.
    await using world = await createRing()
    const retired = await signToken(world.ring.signer())
    world.clock.advance(PUBLISH)
    await world.ring.rotate()
    const stolen = world.ring.signer()
    const former = kidsOf(world.ring)

    const result = await world.ring.rotate({ immediately: true })

    const [activeKid, nextKid] = kidsOf(world.ring)
    expect(result).toEqual({ ok: true, value: { activeKid, nextKid, formerKid: stolen.kid } })
    expect(former).toHaveLength(3)
    expect(kidsOf(world.ring).filter((kid) => former.includes(kid))).toEqual([])
    for (const token of [retired, await signToken(stolen)]) {
      expect(await isSignedBy(token, world.ring.publicKeys())).toBe(false)
    }
    const fresh = await signToken(world.ring.signer())
    expect(await isSignedBy(fresh, world.ring.publicKeys())).toBe(true)
  })
})

describe('another algorithm', () => {
  test('signs from the next rotation on, and verifies beside the former one', async () => {
    await using world = await createRing()
    const before = await signToken(world.ring.signer())
    world.clock.advance(PUBLISH)
    const ring = await world.open({ algorithm: 'EdDSA' })
    expect(ring.signer().algorithm).toBe('ES256')
    expect(await ring.rotate()).toMatchObject({ ok: false })
    world.clock.advance(PUBLISH)

    await ring.rotate()

    expect(ring.signer().algorithm).toBe('EdDSA')
    expect(ring.publicKeys().keys.map(({ alg }) => alg)).toEqual(['EdDSA', 'EdDSA', 'ES256'])
    for (const token of [before, await signToken(ring.signer())]) {
      expect(await isSignedBy(token, ring.publicKeys())).toBe(true)
    }
  })

  test('of a server that was not restarted yet does not take turns with it', async () => {
    // Otherwise no next key would ever be old enough while two configurations run.
    await using world = await createRing()
    const changed = await world.open({ algorithm: 'EdDSA' })
    const kids = kidsOf(changed)

    await world.ring.tick()
    await changed.tick()

    expect(kidsOf(changed)).toEqual(kids)
    expect(kidsOf(world.ring)).toEqual(kids)
  })
})

test('the list says of each key when it will be what, and nothing of its private half', async () => {
  await using world = await createRing()
  world.clock.advance(ROTATE_EVERY)
  await world.ring.tick()
  const [active, next, retired] = kidsOf(world.ring)

  const list = await world.ring.list()

  const activatedAt = START_AT + ROTATE_EVERY
  const es256 = { algorithm: 'ES256' } as const
  const expected = [
    { ...es256, kid: next, state: 'next', createdAt: activatedAt, readyAt: activatedAt + PUBLISH },
    {
      ...es256,
      kid: active,
      state: 'active',
      createdAt: START_AT,
      activatedAt,
      dueAt: activatedAt + ROTATE_EVERY,
    },
    {
      ...es256,
      kid: retired,
      state: 'retired',
      createdAt: START_AT,
      activatedAt: START_AT,
      retiredAt: activatedAt,
      goneAt: activatedAt + RETAIN,
    },
  ]
  expect(list.toSorted((a, b) => a.state.localeCompare(b.state))).toEqual(
    expected.toSorted((a, b) => a.state.localeCompare(b.state)),
  )
})
