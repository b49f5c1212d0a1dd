// RFC 9449, OAuth 2.0 Demonstrating Proof of Possession (DPoP), at an agent.
import { createDpopNonces } from '@deputy/auth'
import { expect } from 'vitest'
import { bearer, callTrpc } from '../support/call-trpc.ts'
import { createSettableClock } from '../support/settable-clock.ts'
import { startTestAgent, type TestAgentOptions } from '../support/test-agent.ts'
import { createProofKey, signProof, toAth, type ProofChanges } from '../support/test-proof.ts'
import { readChallenge, toParameters } from './challenge.ts'
import { makeBadProofs } from './dpop.ts'
import { verifies } from './verifies.ts'

/** An agent, a key, a token that is bound to it, and calls with both. */
async function setUp(options: TestAgentOptions = {}) {
  const agent = await startTestAgent(options)
  const key = await createProofKey()
  const token = await agent.token({ cnf: { jkt: key.jkt } })
  const good = () => ({
    htm: 'GET',
    htu: `${agent.url}/trpc/whoAmI`,
    iat: agent.clock.now(),
    ath: toAth(token),
  })
  const call = async (headers: Record<string, string>) => {
    const answer = await callTrpc(agent.url, 'whoAmI', { headers })
    const challenge = answer.header('www-authenticate')
    const { parameters, scheme } =
      challenge === null ? { parameters: [], scheme: '' } : readChallenge(challenge)
    const { error } = toParameters({ parameters, scheme })
    return { status: answer.status, scheme, error, nonce: answer.header('dpop-nonce') }
  }
  const prove = async (changes: ProofChanges = {}) => signProof(key, good(), changes)
  const present = async (dpop: string, text = token) =>
    call({ authorization: `DPoP ${text}`, dpop })
  const close = async (): Promise<void> => agent[Symbol.asyncDispose]()
  return { agent, key, token, good, call, prove, present, [Symbol.asyncDispose]: close }
}

const INVALID_PROOF = { status: 401, scheme: 'DPoP', error: 'invalid_dpop_proof' }
const INVALID_TOKEN = { status: 401, scheme: 'DPoP', error: 'invalid_token' }

verifies(
  [
    'rfc9449-4.3-2-one-jwt',
    'rfc9449-4.3-3-claims',
    'rfc9449-4.3-4-typ',
    'rfc9449-4.3-5-alg',
    'rfc9449-4.3-6-signature',
    'rfc9449-4.3-7-no-private-key',
    'rfc9449-4.3-8-htm',
    'rfc9449-4.3-9-htu',
    'rfc9449-4.3-11-time',
    'rfc9449-7.1-all-checks',
    'rfc9449-7.1-no-access',
    'rfc9449-11.5-typ',
    'rfc9449-11.6-asymmetric-only',
  ],
  'an agent refuses each proof that breaks a rule, and takes one that breaks none',
  async () => {
    await using world = await setUp()

    for (const [rule, proof] of await makeBadProofs(world.key, world.good())) {
      expect([rule, await world.present(proof)]).toMatchObject([rule, { status: 401 }])
    }
    expect(await world.present(await world.prove())).toMatchObject({ status: 200 })
  },
)

verifies(
  ['rfc9449-4.2-ath', 'rfc9449-4.3-12-ath', 'rfc9449-7-ath'],
  'an agent refuses a proof without the hash of the token, or of another token',
  async () => {
    await using world = await setUp()
    const { present, prove } = world

    const without = await present(await prove({ claims: { ath: undefined } }))
    const other = await present(await prove({ claims: { ath: toAth('another') } }))

    expect(without).toMatchObject(INVALID_PROOF)
    expect(other).toMatchObject(INVALID_PROOF)
  },
)

verifies(
  ['rfc9449-4.3-12-key', 'rfc9449-6-key-matches', 'rfc9449-6-identifies-bound-tokens'],
  "an agent refuses a good proof by another key than the token's",
  async () => {
    // Attack: a thief of the token proves possession of a key of their own.
    await using world = await setUp()
    const thief = await createProofKey()

    const stolen = await world.present(await signProof(thief, world.good()))

    expect(stolen).toMatchObject({ status: 401, scheme: 'DPoP' })
  },
)

verifies(
  'rfc9449-6-identifies-bound-tokens',
  'an agent refuses a token that is bound to nothing where a proof comes with it',
  async () => {
    await using world = await setUp()
    const { agent, present, prove } = world
    const unbound = await agent.token()

    const refused = await present(await prove({ claims: { ath: toAth(unbound) } }), unbound)

    expect(refused).toMatchObject({ status: 401 })
  },
)

verifies(
  ['rfc9449-7-proof-and-token', 'rfc9449-7.1-no-access'],
  'an agent refuses the token without the proof, and the proof without the token',
  async () => {
    await using world = await setUp()
    const { call, prove, token } = world

    const noProof = await call({ authorization: `DPoP ${token}` })
    const noToken = await call({ dpop: await prove() })

    expect(noProof).toMatchObject({ status: 401, scheme: 'DPoP' })
    expect(noToken).toMatchObject({ status: 401 })
  },
)

verifies('rfc9449-4.3-1-one-header', 'an agent refuses two proofs', async () => {
  await using world = await setUp()
  const { present, prove } = world

  const refused = await present(`${await prove()}, ${await prove()}`)

  expect(refused).toMatchObject(INVALID_PROOF)
})

verifies(
  'rfc9449-7.1-no-proxy-authorization',
  'an agent reads no token from Proxy-Authorization',
  async () => {
    await using world = await setUp()
    const { call, prove, token } = world

    const refused = await call({ 'proxy-authorization': `DPoP ${token}`, dpop: await prove() })

    expect(refused).toMatchObject({ status: 401, error: undefined })
  },
)

verifies('rfc9449-7.2-no-downgrade', 'an agent refuses a bound token as Bearer', async () => {
  // Attack: a token stolen from a log or a proxy, used without its key.
  await using world = await setUp()
  const { call, prove, token } = world

  const alone = await call(bearer(token))
  const withProof = await call({ ...bearer(token), dpop: await prove() })

  expect(alone).toMatchObject(INVALID_TOKEN)
  expect(withProof).toMatchObject(INVALID_TOKEN)
})

verifies(
  ['rfc9449-9-resource-nonce', 'rfc9449-4.3-10-nonce', 'rfc9449-11.3-nonce-downgrade'],
  'an agent that gives nonces asks for one, and takes no proof without',
  async () => {
    const clock = createSettableClock()
    const dpopNonces = createDpopNonces({ clock, secret: Buffer.alloc(32, 7) })
    await using world = await setUp({ dpopNonces })
    const { present, prove } = world

    const without = await present(await prove())
    const madeUp = await present(await prove({ claims: { nonce: 'made-up' } }))
    const good = await present(await prove({ claims: { nonce: without.nonce } }))

    const USE_NONCE = { status: 401, scheme: 'DPoP', error: 'use_dpop_nonce' }
    expect(without).toMatchObject(USE_NONCE)
    expect(madeUp).toMatchObject(USE_NONCE)
    expect(good).toMatchObject({ status: 200 })
  },
)

verifies('rfc9449-11.1-limited-time', 'an agent takes a proof once', async () => {
  await using world = await setUp()
  const { agent, present, prove } = world
  const proof = await prove()
  const kept = await prove()

  const first = await present(proof)
  const again = await present(proof)
  agent.clock.advance(120)
  const late = await present(kept)

  expect(first).toMatchObject({ status: 200 })
  expect(again).toMatchObject(INVALID_PROOF)
  expect(late).toMatchObject(INVALID_PROOF)
})
