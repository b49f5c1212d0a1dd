import { expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { createProofKey, signProof } from '../../../../test/support/test-proof.ts'
import { createDpopNonces } from './dpop-proof-nonces.ts'
import { createDpopProofVerifier } from './dpop-proof.ts'
import { createLocalReplayMemory } from './replay-memory.ts'

const SECRET = new Uint8Array(32).fill(7)
// A multiple of the window, so that the clock begins with it.
const START = 1_800_000_000

test('a nonce is good to the last second of the window after the one it was issued in', () => {
  const clock = createSettableClock(START)
  const nonces = createDpopNonces({ clock, secret: SECRET, windowSeconds: 300 })
  const nonce = nonces.issue()
  const at = (seconds: number): boolean => {
    clock.set(START + seconds)
    return nonces.check(nonce)
  }

  expect([at(0), at(299), at(300), at(599), at(600)]).toEqual([true, true, true, true, false])
})

test('a nonce of a window to come is not known yet', () => {
  // Attack: a nonce read ahead from an instance with a wrong clock.
  const clock = createSettableClock(START + 300)
  const nonces = createDpopNonces({ clock, secret: SECRET })
  const nonce = nonces.issue()
  clock.set(START + 299)

  expect(nonces.check(nonce)).toBe(false)
})

test('a nonce is the same within its window and another one in the next', () => {
  const clock = createSettableClock(START)
  const nonces = createDpopNonces({ clock, secret: SECRET })
  const issue = (seconds: number): string => {
    clock.set(START + seconds)
    return nonces.issue()
  }

  expect(issue(299)).toBe(issue(0))
  expect(issue(300)).not.toBe(issue(0))
})

test('instances that share the secret know the same nonces, and others do not', () => {
  const clock = createSettableClock(START)
  const one = createDpopNonces({ clock, secret: SECRET })
  const other = createDpopNonces({ clock, secret: Uint8Array.from(SECRET) })
  const stranger = createDpopNonces({ clock, secret: new Uint8Array(32) })

  expect(other.check(one.issue())).toBe(true)
  expect(stranger.check(one.issue())).toBe(false)
})

test.each(['', 'x', '🙂', 'A'.repeat(43), 'A'.repeat(10_000)])(
  'the text %j is no nonce',
  (text) => {
    const nonces = createDpopNonces({ clock: createSettableClock(START), secret: SECRET })

    expect(nonces.check(text)).toBe(false)
  },
)

test.each([
  { secret: new Uint8Array(31) },
  { secret: SECRET, windowSeconds: 0 },
  { secret: SECRET, windowSeconds: 1.5 },
])('cannot be made with %j', (options) => {
  expect(() => createDpopNonces({ clock: createSettableClock(), ...options })).toThrow(TypeError)
})

test.each([
  ['none', undefined, 'dpop_nonce_missing'],
  ['an invented one', () => 'invented', 'dpop_nonce_invalid'],
  ['a recent one', (nonce: string) => nonce, 'accepted'],
])('a proof with %s where one is required', async (_what, choose, reason) => {
  // Attack: proofs made in advance, while the key could be used, for a time when it cannot (§11.2).
  const clock = createSettableClock(START)
  const nonces = createDpopNonces({ clock, secret: SECRET })
  const replayMemory = createLocalReplayMemory({ clock })
  const nonce = choose?.(nonces.issue())
  const url = 'https://as.example/oauth/token'
  const claims = { htm: 'POST', htu: url, iat: START, nonce }
  const proof = await signProof(await createProofKey(), claims)

  const result = await createDpopProofVerifier({ clock, replayMemory }).verify({
    proofs: [proof],
    method: 'POST',
    url,
    nonce: nonces,
  })

  expect(result.ok ? 'accepted' : result.refusal.reason).toBe(reason)
})
