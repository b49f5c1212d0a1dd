import {
  createDpopNonces,
  createDpopProofVerifier,
  createLocalReplayMemory,
  ReplayMemoryUnavailableError,
  type DpopNonces,
  type ReplayMemory,
} from '@deputy/auth'
import { expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { createProofKey, signProof } from '../../../../test/support/test-proof.ts'
import { createDpopBinding, type BoundRequest } from './dpop-binding.ts'

const ISSUER = 'https://as.example'
const clock = createSettableClock()
const key = await createProofKey()
const OPTIONAL = { isRequired: false }

function createBinding(options: { nonces?: DpopNonces; replayMemory?: ReplayMemory } = {}) {
  const replayMemory = options.replayMemory ?? createLocalReplayMemory({ clock })
  const proofs = createDpopProofVerifier({ clock, replayMemory })
  return createDpopBinding({ issuer: `${ISSUER}/`, proofs, nonces: options.nonces })
}

function requestWith(...values: string[]): BoundRequest {
  return {
    method: 'POST',
    path: '/oauth/token',
    headerValues: (name) => (name === 'dpop' ? values : []),
  }
}

async function makeProof(claims: Record<string, unknown> = {}): Promise<string> {
  const good = { htm: 'POST', htu: `${ISSUER}/oauth/token`, iat: clock.now() }
  return signProof(key, { ...good, ...claims })
}

test('a request with a good proof is bound to its key', async () => {
  const bound = await createBinding().bind(requestWith(await makeProof()), OPTIONAL)

  expect(bound).toEqual({ jkt: key.jkt })
})

test('a request without a proof is bound to nothing', async () => {
  expect(await createBinding().bind(requestWith(), OPTIONAL)).toBeUndefined()
})

test('a client that binds its tokens always gets none without a proof', async () => {
  // Attack: a stolen client secret used to ask for a bearer token.
  const bound = createBinding().bind(requestWith(), { isRequired: true })

  await expect(bound).rejects.toMatchObject({ code: 'invalid_dpop_proof', status: 400 })
})

test.each([
  ['of two', async () => [await makeProof(), await makeProof()]],
  ['for a resource', async () => [await makeProof({ htu: 'https://billing.example/' })]],
  ['that is no JWT', async () => ['nonsense']],
  ['that is empty', async () => ['']],
])('a request with a proof %s is refused, not taken for one without', async (_what, make) => {
  const bound = createBinding().bind(requestWith(...(await make())), OPTIONAL)

  await expect(bound).rejects.toMatchObject({ code: 'invalid_dpop_proof', status: 400 })
})

test('a proof binds one token, and the audit trail learns why not a second one', async () => {
  const binding = createBinding()
  const proof = await makeProof()
  await binding.bind(requestWith(proof), OPTIONAL)

  const again = binding.bind(requestWith(proof), OPTIONAL)

  await expect(again).rejects.toMatchObject({ code: 'invalid_dpop_proof', reason: 'dpop_replayed' })
})

test('a server that requires nonces tells the one to use, and takes it', async () => {
  const nonces = createDpopNonces({ clock, secret: new Uint8Array(32).fill(1) })
  const binding = createBinding({ nonces })

  const without = binding.bind(requestWith(await makeProof()), OPTIONAL)

  await expect(without).rejects.toMatchObject({
    code: 'use_dpop_nonce',
    status: 400,
    headers: { 'dpop-nonce': nonces.issue() },
  })
  const nonce = binding.nonceHeaders()['dpop-nonce']
  expect(await binding.bind(requestWith(await makeProof({ nonce })), OPTIONAL)).toEqual({
    jkt: key.jkt,
  })
})

test('a server that requires no nonces tells none', () => {
  expect(createBinding().nonceHeaders()).toEqual({})
})

test('a replay memory that cannot be asked is the fault of the server', async () => {
  const claimOnce = async () => Promise.reject(new ReplayMemoryUnavailableError('gone'))
  const binding = createBinding({ replayMemory: { claimOnce } })

  const bound = binding.bind(requestWith(await makeProof()), OPTIONAL)

  await expect(bound).rejects.toMatchObject({
    code: 'temporarily_unavailable',
    status: 503,
    headers: { 'retry-after': '1' },
  })
})
