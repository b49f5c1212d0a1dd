// RFC 9449, OAuth 2.0 Demonstrating Proof of Possession (DPoP), at the authorization server.
import { calculateJwkThumbprint, decodeJwt } from 'jose'
import { expect } from 'vitest'
import { readConfig } from '../../apps/auth-server/src/config.ts'
import type { TestServerOptions } from '../../apps/auth-server/test-support/auth-server.ts'
import { introspect, readOAuthError } from '../../apps/auth-server/test-support/oauth-request.ts'
import { createProofKey, signProof, type ProofChanges } from '../support/test-proof.ts'
import { makeBadProofs } from './dpop.ts'
import { verifies } from './verifies.ts'
import { post, readMetadata, startConformanceWorld } from './world.ts'

const TOKEN = '/oauth/token'
const FORM = { grant_type: 'client_credentials' }
const INVALID_PROOF = { status: 400, error: 'invalid_dpop_proof' }
const NONCES = { dpopNonceSecret: Buffer.alloc(32, 7).toString('base64url') }

/** A server, a key, and asking for a token with a proof by that key. */
async function setUp(options: TestServerOptions = {}) {
  await using stack = new AsyncDisposableStack()
  const world = stack.use(await startConformanceWorld(options))
  const key = await createProofKey()
  const good = () => ({
    htm: 'POST',
    htu: world.server.issuer + TOKEN,
    iat: world.server.clock.now(),
  })
  const prove = async (changes: ProofChanges = {}) => signProof(key, good(), changes)
  const ask = async (dpop: string) =>
    post(world, TOKEN, { as: world.alice, form: FORM, headers: { dpop } })
  const resources = stack.move()
  const close = async (): Promise<void> => resources.disposeAsync()
  return { ...world, key, good, prove, ask, [Symbol.asyncDispose]: close }
}

verifies('rfc9449-2-https', 'refuses to start with an issuer by plain http', async () => {
  const read = () => readConfig({ DEPUTY_ISSUER: 'http://as.example' })

  expect(read).toThrow(/DEPUTY_ISSUER: must be https/)
})

verifies(
  [
    'rfc9449-4.2-typ',
    'rfc9449-4.2-alg',
    'rfc9449-4.2-jwk',
    'rfc9449-4.2-claims',
    'rfc9449-4.3-2-one-jwt',
    'rfc9449-4.3-3-claims',
    'rfc9449-4.3-4-typ',
    'rfc9449-4.3-5-alg',
    'rfc9449-4.3-6-signature',
    'rfc9449-4.3-7-no-private-key',
    'rfc9449-4.3-8-htm',
    'rfc9449-4.3-9-htu',
    'rfc9449-4.3-11-time',
    'rfc9449-5-proof-in-header',
    'rfc9449-5-invalid-dpop-proof',
    'rfc9449-11.5-typ',
    'rfc9449-11.6-asymmetric-only',
  ],
  'the token endpoint refuses each proof that breaks a rule, and takes one that breaks none',
  async () => {
    await using world = await setUp()

    for (const [rule, proof] of await makeBadProofs(world.key, world.good())) {
      expect([rule, readOAuthError(await world.ask(proof))]).toEqual([rule, INVALID_PROOF])
    }
    expect((await world.ask(await world.prove())).status).toBe(200)
  },
)

verifies('rfc9449-4.3-1-one-header', 'the token endpoint refuses two proofs', async () => {
  await using world = await setUp()
  const { alice, prove, server } = world

  const headers = new Headers({
    authorization: `Basic ${btoa(`${alice.id}:${alice.secret}`)}`,
    'content-type': 'application/x-www-form-urlencoded',
  })
  headers.append('dpop', await prove())
  headers.append('dpop', await prove())
  const response = await fetch(server.issuer + TOKEN, {
    method: 'POST',
    headers,
    body: new URLSearchParams(FORM),
  })

  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ error: 'invalid_dpop_proof' })
})

verifies(
  'rfc9449-4.3-9-htu',
  'the token endpoint ignores query and fragment, and case where a URL has none',
  async () => {
    await using world = await setUp()
    const { ask, prove, server } = world
    const { port } = new URL(server.issuer)

    for (const htu of [
      `${server.issuer}${TOKEN}?a=b#c`,
      `HTTP://127.0.0.1:${port}/oauth/../oauth/token`,
    ]) {
      expect((await ask(await prove({ claims: { htu } }))).status).toBe(200)
    }
  },
)

verifies(
  ['rfc9449-5-token-type', 'rfc9449-6.1-jkt', 'rfc9449-6.2-introspection'],
  'binds the token to the key of the proof, and says so in the answer, the token and introspection',
  async () => {
    await using world = await setUp()
    const { ask, bob, key, prove, server } = world

    const answer = await ask(await prove())
    const token = String(answer.body['access_token'])
    const { body } = await introspect(server, bob, token)

    const jkt = await calculateJwkThumbprint(key.publicJwk, 'sha256')
    expect(answer.body['token_type']).toBe('DPoP')
    expect(decodeJwt(token)['cnf']).toEqual({ jkt })
    expect(body).toMatchObject({ active: true, token_type: 'DPoP', cnf: { jkt } })
  },
)

verifies('rfc9449-5.1-metadata', 'lists the algorithms of proofs, and takes them', async () => {
  await using world = await setUp()
  const { dpop_signing_alg_values_supported: algorithms } = await readMetadata(world)

  expect(algorithms).toEqual(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256', 'RS256'])
  for (const algorithm of ['ES384', 'Ed25519', 'RS256'] as const) {
    const proof = await signProof(await createProofKey(algorithm), world.good())

    expect((await world.ask(proof)).status).toBe(200)
  }
})

verifies(
  'rfc9449-5.2-always-bound',
  'gives a client that always binds its tokens none without a proof',
  async () => {
    await using world = await setUp()
    const { admin, alice, ask, prove } = world
    const settings = { dpopBoundAccessTokens: true }
    await admin.agents.update.mutate({ id: alice.id, settings })

    const without = await post(world, TOKEN, { as: alice, form: FORM })
    const withProof = await ask(await prove())

    expect(readOAuthError(without)).toEqual(INVALID_PROOF)
    expect(withProof.status).toBe(200)
  },
)

verifies(
  [
    'rfc9449-4.2-nonce',
    'rfc9449-4.3-10-nonce',
    'rfc9449-8-use-dpop-nonce',
    'rfc9449-8-one-nonce-header',
    'rfc9449-8-mismatch',
    'rfc9449-8.1-syntax',
    'rfc9449-8.2-nonce-with-success',
    'rfc9449-11.3-nonce-downgrade',
  ],
  'asks for a nonce where it gives them, and takes only one that it gave lately',
  async () => {
    await using world = await setUp(NONCES)
    const { ask, prove, server } = world
    const USE_NONCE = { status: 400, error: 'use_dpop_nonce' }

    const without = await ask(await prove())
    const nonce = without.headers.get('dpop-nonce') ?? ''
    const madeUp = await ask(await prove({ claims: { nonce: `${nonce}x` } }))
    const good = await ask(await prove({ claims: { nonce } }))
    server.clock.advance(3600)
    const stale = await ask(await prove({ claims: { nonce } }))

    expect(readOAuthError(without)).toEqual(USE_NONCE)
    expect(readOAuthError(madeUp)).toEqual(USE_NONCE)
    expect(readOAuthError(stale)).toEqual(USE_NONCE)
    expect([good.status, good.headers.get('cache-control')]).toEqual([200, 'no-store'])
    for (const { headers } of [without, madeUp, good, stale]) {
      // Two headers would come joined by a comma, which a nonce cannot have.
      expect(headers.get('dpop-nonce')).toMatch(/^[\x21\x23-\x2B\x2D-\x5B\x5D-\x7E]+$/)
    }
  },
)

verifies(
  'rfc9449-8-unpredictable',
  'gives nonces that another secret would not give, at the same second',
  async () => {
    // Attack: nonces are computed ahead, and proofs with them made for later.
    await using one = await setUp(NONCES)
    const secret = Buffer.alloc(32, 8).toString('base64url')
    await using other = await setUp({ dpopNonceSecret: secret })

    const nonces = await Promise.all(
      [one, other].map(async ({ ask, prove }) =>
        (await ask(await prove())).headers.get('dpop-nonce'),
      ),
    )

    expect(nonces[0]).not.toBe(nonces[1])
    expect(nonces[0]?.length).toBeGreaterThanOrEqual(22)
  },
)

verifies(
  'rfc9449-11.1-limited-time',
  'takes a proof once, and none that is older than a minute or so',
  async () => {
    await using world = await setUp()
    const { ask, prove, server } = world
    const proof = await prove()
    const kept = await prove()

    const first = await ask(proof)
    const again = await ask(proof)
    server.clock.advance(120)
    const late = await ask(kept)

    expect(first.status).toBe(200)
    expect(readOAuthError(again)).toEqual(INVALID_PROOF)
    expect(readOAuthError(late)).toEqual(INVALID_PROOF)
  },
)
