import { jwtVerify } from 'jose'
import { expect, test, vi } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { openTestKeyRing, signToken } from '../../test-support/signing-keys.ts'
import { openStorage } from '../storage/open-storage.ts'
import { createRingSigningKeySource } from './ring-key-source.ts'

/** Two servers on one store; the first one verifies. */
async function createWorld() {
  const storage = await openStorage({ file: ':memory:' })
  const clock = createSettableClock()
  const open = async () => openTestKeyRing({ store: storage.signingKeys, clock })
  const [ring, other] = [await open(), await open()]
  const reload = vi.spyOn(ring, 'reload')
  const keys = createRingSigningKeySource(ring, clock)
  const verify = async (token: string) =>
    jwtVerify(token, async ({ kid }) => {
      const key = await keys({ algorithm: 'ES256', kid })
      if (key === undefined) throw new Error('no applicable key found')
      return key
    })
  const dispose = async (): Promise<void> => storage.close()
  return { ring, other, clock, verify, reload, [Symbol.asyncDispose]: dispose }
}

test('follows a rotation without asking the store', async () => {
  await using world = await createWorld()
  const before = await signToken(world.ring.signer())
  await world.verify(before)
  world.clock.advance(120)
  await world.ring.rotate()

  await world.verify(before)
  await world.verify(await signToken(world.ring.signer()))

  expect(world.reload).not.toHaveBeenCalled()
})

test('refuses at once what was signed with a key that was thrown away', async () => {
  await using world = await createWorld()
  const stolen = await signToken(world.ring.signer())
  await world.verify(stolen)

  await world.ring.rotate({ immediately: true })

  await expect(world.verify(stolen)).rejects.toThrow('no applicable key found')
})

test('asks for a key that another server made without publishing it first', async () => {
  await using world = await createWorld()
  await world.other.rotate({ immediately: true })
  const token = await signToken(world.other.signer())

  expect((await world.verify(token)).payload.sub).toBe('agent-alice')
})

test.each([
  { later: 4, reloads: 1 },
  { later: 5, reloads: 2 },
])('has asked $reloads times $later s after the first unknown key', async ({ later, reloads }) => {
  // Attack: tokens with made-up kids keep the database busy.
  await using world = await createWorld()
  const signer = { ...world.ring.signer(), kid: 'made-up' }
  const tokens = await Promise.all(Array.from({ length: 20 }, async () => signToken(signer)))

  await Promise.allSettled(tokens.map(world.verify))
  world.clock.advance(later)
  await Promise.allSettled(tokens.map(world.verify))

  expect(world.reload).toHaveBeenCalledTimes(reloads)
})
