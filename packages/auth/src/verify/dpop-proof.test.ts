import { base64url } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import {
  createProofKey,
  signProof,
  toAth,
  type ProofChanges,
  type ProofKey,
} from '../../../../test/support/test-proof.ts'
import { PROOF_ALGORITHMS } from '../protocol/index.ts'
import type { DpopRequest } from './dpop-proof-checks.ts'
import { createDpopProofVerifier, type DpopProofVerifierOptions } from './dpop-proof.ts'
import { createLocalReplayMemory, ReplayMemoryUnavailableError } from './replay-memory.ts'

const URL_HERE = 'https://billing.example/trpc/invoices.pay'
const TOKEN = 'a.good.token'
const clock = createSettableClock()
const now = clock.now()
const goodClaims = { htm: 'POST', htu: URL_HERE, iat: now, ath: toAth(TOKEN) }
let alice: ProofKey
let mallory: ProofKey

beforeAll(async () => {
  alice = await createProofKey()
  mallory = await createProofKey()
})

function createVerifier(options: Partial<DpopProofVerifierOptions> = {}) {
  return createDpopProofVerifier({
    clock,
    replayMemory: createLocalReplayMemory({ clock: options.clock ?? clock }),
    clockToleranceSeconds: 0,
    ...options,
  })
}

function requestWith(...proofs: string[]): DpopRequest {
  return { proofs, method: 'POST', url: URL_HERE, accessToken: TOKEN }
}

async function reasonOf(
  request: DpopRequest,
  options?: Partial<DpopProofVerifierOptions>,
): Promise<string> {
  const result = await createVerifier(options).verify(request)
  return result.ok ? 'accepted' : result.refusal.reason
}

async function reasonOfChanged(changes: ProofChanges): Promise<string> {
  return reasonOf(requestWith(await signProof(alice, goodClaims, changes)))
}

describe('accepts', () => {
  test("RFC 9449's own proof for the token endpoint (§4.1)", async () => {
    const proof =
      'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg'
    const verifier = createVerifier({ clock: createSettableClock(1_562_262_616) })

    const result = await verifier.verify({
      proofs: [proof],
      method: 'POST',
      url: 'https://server.example.com/token',
    })

    expect(result).toEqual({
      ok: true,
      // The thumbprint that §6.1 has for this key.
      value: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I', jti: '-BwC3ESc6acc2lTc' },
    })
  })

  test("RFC 9449's own proof for a protected resource (§7.1)", async () => {
    const proof =
      'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA'
    const verifier = createVerifier({ clock: createSettableClock(1_562_262_618) })

    const result = await verifier.verify({
      proofs: [proof],
      method: 'GET',
      url: 'https://resource.example.org/protectedresource',
      accessToken: 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU',
    })

    expect(result).toMatchObject({ ok: true, value: { jti: 'e1j3V_bKic8-LAEB' } })
  })

  test.each(PROOF_ALGORITHMS)('a proof signed with %s', async (algorithm) => {
    const key = await createProofKey(algorithm)

    const result = await createVerifier().verify(requestWith(await signProof(key, goodClaims)))

    expect(result).toMatchObject({ ok: true, value: { jkt: key.jkt } })
  })

  test('a proof whose htu is the same URI in other words', async () => {
    const htu = 'HTTPS://Billing.Example:443/./trpc/%69nvoices.pay?batch=1#top'

    expect(await reasonOfChanged({ claims: { htu } })).toBe('accepted')
  })

  test('a proof with claims and header members that say nothing here', async () => {
    const changes = { claims: { foo: 'bar' }, header: { kid: 'mine' } }

    expect(await reasonOfChanged(changes)).toBe('accepted')
  })
})

describe('refuses', () => {
  test('no proof, and more than one', async () => {
    // Attack: two proofs, of which a proxy checks the first and the server takes the second.
    const [one, other] = [await signProof(alice, goodClaims), await signProof(alice, goodClaims)]

    expect(await reasonOf(requestWith())).toBe('dpop_proof_missing')
    expect(await reasonOf(requestWith(one, other))).toBe('dpop_proof_repeated')
    expect(await reasonOf(requestWith(`${one}, ${other}`))).toBe('dpop_proof_repeated')
  })

  test.each(['', 'x', 'a.b', 'a.b.c', 'a.b.c.d', '..', '🙂.🙂.🙂', 'bnVsbA.bnVsbA.bnVsbA'])(
    'the text %j',
    async (text) => {
      expect(await reasonOf(requestWith(text))).toBe('dpop_proof_malformed')
    },
  )

  test('a proof that is longer than the limit, by one character', async () => {
    const proof = await signProof(alice, goodClaims)
    const request = requestWith(proof)

    expect(await reasonOf(request, { maxProofChars: proof.length })).toBe('accepted')
    expect(await reasonOf(request, { maxProofChars: proof.length - 1 })).toBe(
      'dpop_proof_malformed',
    )
  })

  test.each<[string, ProofChanges, string]>([
    ['of another type', { header: { typ: 'at+jwt' } }, 'dpop_type_invalid'],
    ['of no type', { header: { typ: undefined } }, 'dpop_type_invalid'],
    ['of a type in other case', { header: { typ: 'DPoP+jwt' } }, 'dpop_type_invalid'],
    ['without jwk', { header: { jwk: undefined } }, 'dpop_key_invalid'],
    ['without jti', { claims: { jti: undefined } }, 'dpop_proof_malformed'],
    ['with an empty jti', { claims: { jti: '' } }, 'dpop_proof_malformed'],
    ['with a huge jti', { claims: { jti: 'x'.repeat(257) } }, 'dpop_proof_malformed'],
    ['with a jti that is no text', { claims: { jti: 1 } }, 'dpop_proof_malformed'],
    ['without htm', { claims: { htm: undefined } }, 'dpop_proof_malformed'],
    ['for another method', { claims: { htm: 'GET' } }, 'dpop_method_mismatch'],
    ['for the method in other case', { claims: { htm: 'post' } }, 'dpop_method_mismatch'],
    ['without htu', { claims: { htu: undefined } }, 'dpop_proof_malformed'],
    ['for another path', { claims: { htu: `${URL_HERE}s` } }, 'dpop_url_mismatch'],
    [
      'for a path in other case',
      { claims: { htu: URL_HERE.replace('/trpc', '/TRPC') } },
      'dpop_url_mismatch',
    ],
    ['for a slash more', { claims: { htu: `${URL_HERE}/` } }, 'dpop_url_mismatch'],
    [
      'for another host',
      { claims: { htu: 'https://evil.example/trpc/invoices.pay' } },
      'dpop_url_mismatch',
    ],
    [
      'for another port',
      { claims: { htu: URL_HERE.replace('.example', '.example:444') } },
      'dpop_url_mismatch',
    ],
    [
      'for another scheme',
      { claims: { htu: URL_HERE.replace('https', 'http') } },
      'dpop_url_mismatch',
    ],
    ['for a path only', { claims: { htu: '/trpc/invoices.pay' } }, 'dpop_url_mismatch'],
    ['without iat', { claims: { iat: undefined } }, 'dpop_proof_malformed'],
    ['with an iat that is text', { claims: { iat: String(now) } }, 'dpop_proof_malformed'],
    ['without ath', { claims: { ath: undefined } }, 'dpop_token_hash_mismatch'],
    ['for another token', { claims: { ath: toAth('another.token') } }, 'dpop_token_hash_mismatch'],
    ['with the token itself as ath', { claims: { ath: TOKEN } }, 'dpop_token_hash_mismatch'],
  ])('a proof %s', async (_what, changes, reason) => {
    expect(await reasonOfChanged(changes)).toBe(reason)
  })

  test("a proof made by another's key in the name of the bound one", async () => {
    // Attack: mallory has alice's public key (everybody has) and signs with her own.
    const proof = await signProof(mallory, goodClaims, { header: { jwk: alice.publicJwk } })

    expect(await reasonOf(requestWith(proof))).toBe('dpop_signature_invalid')
  })

  test('a proof whose claims were changed after it was signed', async () => {
    const [header, , signature] = (await signProof(alice, goodClaims)).split('.')
    const payload = base64url.encode(JSON.stringify({ ...goodClaims, jti: 'fresh' }))

    expect(await reasonOf(requestWith(`${header ?? ''}.${payload}.${signature ?? ''}`))).toBe(
      'dpop_signature_invalid',
    )
  })

  test.each(['none', 'HS256', 'ES256K', 'RSA-OAEP', undefined, 1])(
    'a proof of the algorithm %s',
    async (alg) => {
      // Attack: `none`, and an HMAC with a secret that the proof itself brings (RFC 8725 §2.1).
      const jwk = { kty: 'oct', k: base64url.encode('known to everybody') }
      const header = base64url.encode(JSON.stringify({ typ: 'dpop+jwt', alg, jwk }))
      const payload = base64url.encode(JSON.stringify({ ...goodClaims, jti: '1' }))

      expect(await reasonOf(requestWith(`${header}.${payload}.AAAA`))).toBe(
        'dpop_algorithm_not_allowed',
      )
    },
  )

  test('a proof of an algorithm that this server does not take', async () => {
    const proof = await signProof(alice, goodClaims)

    expect(await reasonOf(requestWith(proof), { algorithms: ['EdDSA'] })).toBe(
      'dpop_algorithm_not_allowed',
    )
  })

  test('a proof whose algorithm is not that of its key', async () => {
    // Attack: key confusion (RFC 8725 §2.1), here with a text signed by another rule than it says.
    const key = await createProofKey('RS256')
    const proof = await signProof(key, goodClaims, { header: { jwk: alice.publicJwk } })
    const unfit = await signProof(alice, goodClaims, {
      header: { jwk: { ...alice.publicJwk, use: 'enc' } },
    })

    expect(await reasonOf(requestWith(proof))).toBe('dpop_key_invalid')
    expect(await reasonOf(requestWith(unfit))).toBe('dpop_key_invalid')
  })

  test('a proof that gives its private key away', async () => {
    const proof = await signProof(alice, goodClaims, { header: { jwk: alice.privateJwk } })

    expect(await reasonOf(requestWith(proof))).toBe('dpop_key_invalid')
  })

  test('a proof that asks for an extension', async () => {
    // Attack: `b64: false` (RFC 7797) makes the payload something else than it seems.
    const [, payload, signature] = (await signProof(alice, goodClaims)).split('.')
    const header = {
      typ: 'dpop+jwt',
      alg: 'ES256',
      jwk: alice.publicJwk,
      b64: false,
      crit: ['b64'],
    }
    const proof = [base64url.encode(JSON.stringify(header)), payload, signature].join('.')

    expect(await reasonOf(requestWith(proof))).toBe('dpop_proof_malformed')
  })

  test('a proof whose key is a point that is not on the curve', async () => {
    const jwk = { ...alice.publicJwk, y: alice.publicJwk.x }
    const proof = await signProof(alice, goodClaims, { header: { jwk } })

    expect(await reasonOf(requestWith(proof))).toBe('dpop_key_invalid')
  })

  test('an RSA key whose modulus is long in characters and short in bits', async () => {
    const key = await createProofKey('RS256')
    const n = base64url.encode(
      Buffer.concat([
        Buffer.alloc(128),
        Buffer.from(key.publicJwk.n ?? '', 'base64url').subarray(0, 128),
      ]),
    )
    const proof = await signProof(key, goodClaims, { header: { jwk: { ...key.publicJwk, n } } })

    expect(await reasonOf(requestWith(proof))).toBe('dpop_key_invalid')
  })
})

describe('time', () => {
  test.each([
    [-60, 0, 'accepted'],
    [-61, 0, 'dpop_too_old'],
    [-60.5, 0, 'dpop_too_old'],
    [-65, 5, 'accepted'],
    [-66, 5, 'dpop_too_old'],
    [0, 0, 'accepted'],
    [1, 0, 'dpop_from_the_future'],
    [5, 5, 'accepted'],
    [6, 5, 'dpop_from_the_future'],
    [1e300, 5, 'dpop_from_the_future'],
    [-1e300, 5, 'dpop_too_old'],
  ])(
    'a proof made at %d s from now, with a tolerance of %i s, is %s',
    async (age, tolerance, reason) => {
      const proof = await signProof(alice, goodClaims, { claims: { iat: now + age } })

      expect(await reasonOf(requestWith(proof), { clockToleranceSeconds: tolerance })).toBe(reason)
    },
  )
})

describe('a used proof', () => {
  test('is refused', async () => {
    // Attack: whoever reads the request (a log, a proxy) sends it again.
    const verifier = createVerifier()
    const proof = await signProof(alice, goodClaims)
    await verifier.verify(requestWith(proof))

    const again = await verifier.verify(requestWith(proof))

    expect(again).toEqual({ ok: false, refusal: { reason: 'dpop_replayed' } })
  })

  test('is refused in each second in which it is not too old, and too old after that', async () => {
    const moving = createSettableClock()
    const replayMemory = createLocalReplayMemory({ clock: moving })
    const verifier = createVerifier({ clock: moving, replayMemory, clockToleranceSeconds: 5 })
    const proof = await signProof(alice, goodClaims, { claims: { iat: now + 4.5 } })
    await verifier.verify(requestWith(proof))

    const reasons: string[] = []
    for (let second = 1; second <= 72; second += 1) {
      moving.advance(1)
      const result = await verifier.verify(requestWith(proof))
      reasons.push(result.ok ? 'accepted' : result.refusal.reason)
    }

    expect(new Set(reasons.slice(0, 69))).toEqual(new Set(['dpop_replayed']))
    expect(new Set(reasons.slice(69))).toEqual(new Set(['dpop_too_old']))
  })

  test('is accepted once when it comes many times at the same moment', async () => {
    const verifier = createVerifier()
    const proof = await signProof(alice, goodClaims)

    const results = await Promise.all(
      Array.from({ length: 20 }, async () => verifier.verify(requestWith(proof))),
    )

    expect(results.filter(({ ok }) => ok)).toHaveLength(1)
  })

  test('is not used up by a request that it was not made for', async () => {
    // Attack: mallory sends what she saw to another URL first, so that alice's own request fails.
    const verifier = createVerifier()
    const proof = await signProof(alice, goodClaims)
    await verifier.verify({ ...requestWith(proof), url: 'https://billing.example/trpc/other' })

    const result = await verifier.verify(requestWith(proof))

    expect(result.ok).toBe(true)
  })

  test("does not stand in the way of another key's proof of the same id", async () => {
    // Attack: mallory uses up the ids that alice is about to use.
    const verifier = createVerifier()
    const claims = { ...goodClaims, jti: 'same' }
    await verifier.verify(requestWith(await signProof(mallory, claims)))

    const result = await verifier.verify(requestWith(await signProof(alice, claims)))

    expect(result.ok).toBe(true)
  })
})

describe('when the replay memory', () => {
  test('cannot be asked, no proof is taken', async () => {
    const claimOnce = async () => Promise.reject(new ReplayMemoryUnavailableError('full'))

    expect(
      await reasonOf(requestWith(await signProof(alice, goodClaims)), {
        replayMemory: { claimOnce },
      }),
    ).toBe('replay_memory_unavailable')
  })

  test('has a bug, the bug is not taken for a refusal', async () => {
    const claimOnce = async () => Promise.reject(new RangeError('bug'))
    const verifier = createVerifier({ replayMemory: { claimOnce } })

    const verifying = verifier.verify(requestWith(await signProof(alice, goodClaims)))

    await expect(verifying).rejects.toThrow('bug')
  })
})

test.each([['HS256'], ['none'], []])(
  'cannot be told to accept the algorithm %s',
  (...algorithms) => {
    expect(() => createVerifier({ algorithms: algorithms as never })).toThrow(TypeError)
  },
)
