// Whatever is changed of a good proof, it is not taken; whatever text arrives, the verifier answers.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { createProofKey, signProof, toAth } from '../../../../test/support/test-proof.ts'
import { createDpopProofVerifier } from './dpop-proof.ts'
import { normalizeHttpUri } from './dpop-proof-url.ts'
import { createLocalReplayMemory } from './replay-memory.ts'

const URL_HERE = 'https://billing.example/trpc/invoices.pay'
const TOKEN = 'a.good.token'
const clock = createSettableClock()
const now = clock.now()
const good = { htm: 'POST', htu: URL_HERE, iat: now, ath: toAth(TOKEN), jti: 'once' }
const key = await createProofKey()

async function isAccepted(proof: string): Promise<boolean> {
  const verifier = createDpopProofVerifier({
    clock,
    replayMemory: createLocalReplayMemory({ clock }),
    clockToleranceSeconds: 0,
  })
  const request = { proofs: [proof], method: 'POST', url: URL_HERE, accessToken: TOKEN }
  return (await verifier.verify(request)).ok
}

/** What may stand in a claim and is not what a good proof has there. */
const wrongClaim = fc.oneof(
  fc.tuple(fc.constantFrom('htm', 'ath'), fc.oneof(fc.string(), fc.jsonValue())),
  fc.tuple(
    fc.constant('htu'),
    fc
      .oneof(fc.webUrl(), fc.string(), fc.jsonValue())
      .filter((value) => typeof value !== 'string' || normalizeHttpUri(value) !== URL_HERE),
  ),
  fc.tuple(
    fc.constant('iat'),
    fc
      .oneof(fc.double(), fc.integer(), fc.jsonValue())
      .filter((value) => typeof value !== 'number' || !(value >= now - 60 && value <= now)),
  ),
  fc.tuple(
    fc.constant('jti'),
    fc.jsonValue().filter((value) => typeof value !== 'string' || value === ''),
  ),
)

test('a proof with one claim that is not right is refused', async () => {
  await fc.assert(
    fc.asyncProperty(wrongClaim, async ([name, value]) => {
      const claims: Record<string, unknown> = { ...good, [name]: value }
      fc.pre(claims[name] !== Object.getOwnPropertyDescriptor(good, name)?.value)

      expect(await isAccepted(await signProof(key, claims))).toBe(false)
    }),
    { numRuns: 150 },
  )
})

test('a proof of which one character is another one is refused', async () => {
  const proof = await signProof(key, good)
  const lastOfSignature = proof.length - 1
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: proof.length - 1 }),
      fc.constantFrom('A', 'B', 'x', 'y', '0', '9', '-', '_', '.', '='),
      async (index, character) => {
        fc.pre(proof[index] !== character)
        // The last character of 64 bytes in base64url holds four bits that mean nothing.
        fc.pre(index !== lastOfSignature)

        expect(await isAccepted(proof.slice(0, index) + character + proof.slice(index + 1))).toBe(
          false,
        )
      },
    ),
    { numRuns: 300 },
  )
})

test('any header and any payload get an answer', async () => {
  const encode = (value: unknown): string =>
    Buffer.from(JSON.stringify(value)).toString('base64url')
  const header = fc.record({
    typ: fc.oneof(fc.constant('dpop+jwt'), fc.jsonValue()),
    alg: fc.oneof(fc.constantFrom('ES256', 'RS256', 'EdDSA', 'none'), fc.jsonValue()),
    jwk: fc.oneof(
      fc.jsonValue(),
      fc.record({
        kty: fc.constantFrom('EC', 'RSA', 'OKP', 'oct'),
        crv: fc.constantFrom('P-256', 'P-521', 'Ed25519', 'X25519'),
        x: fc.base64String(),
        y: fc.base64String(),
        n: fc.stringMatching(/^[A-Za-z0-9_-]{342}$/),
        e: fc.constantFrom('AQAB', 'AA', ''),
      }),
      fc.record({
        kty: fc.constant('EC'),
        crv: fc.constant('P-256'),
        x: fc.stringMatching(/^[A-Za-z0-9_-]{43}$/),
        y: fc.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      }),
    ),
  })
  await fc.assert(
    fc.asyncProperty(
      header,
      fc.jsonValue(),
      fc.base64String(),
      async (head, payload, signature) => {
        const proof = [encode(head), encode(payload), signature.replaceAll(/[+/=]/g, '_')].join('.')

        expect(await isAccepted(proof)).toBe(false)
      },
    ),
    { numRuns: 300 },
  )
})
