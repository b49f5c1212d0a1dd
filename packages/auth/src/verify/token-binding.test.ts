import { describe, expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import {
  createProofKey,
  signProof,
  toAth,
  type ProofChanges,
  type ProofKey,
} from '../../../../test/support/test-proof.ts'
import type { Principal } from '../principal.ts'
import { accept, createAgentSecret } from '../protocol/index.ts'
import { createAuthenticator } from './authenticator.ts'
import { createDpopNonces } from './dpop-proof-nonces.ts'
import { createDpopProofVerifier } from './dpop-proof.ts'
import {
  createLocalReplayMemory,
  ReplayMemoryUnavailableError,
  type ReplayMemory,
} from './replay-memory.ts'

const TARGET = { method: 'POST', url: 'https://billing.example/trpc/pay' }
const clock = createSettableClock()
const alice = await createProofKey()
const mallory = await createProofKey()
const nonces = createDpopNonces({ clock, secret: new Uint8Array(32).fill(9) })

const principal: Principal = {
  agentId: 'agent-alice-v1',
  subject: 'agent-alice-v1',
  audience: 'agent-billing-v2',
  scopes: [],
  priorActors: [],
  expiresAt: 2_000_000_000,
  grantPath: ['token-1'],
  limits: [],
  credential: { kind: 'access_token', id: 'token-1' },
}

type HarnessOptions = {
  readonly replayMemory?: ReplayMemory
  readonly withNonces?: boolean
  readonly withoutDpop?: boolean
}

/** An agent that takes the tokens `bound` (to alice's key) and `free`. */
function createAgent(options: HarnessOptions = {}) {
  const replayMemory = options.replayMemory ?? createLocalReplayMemory({ clock })
  const dpop = {
    proofs: createDpopProofVerifier({ clock, replayMemory }),
    nonces: options.withNonces === true ? nonces : undefined,
  }
  const authenticator = createAuthenticator({
    accessTokens: {
      verify: async (token) =>
        accept(token === 'bound' ? { ...principal, confirmation: { jkt: alice.jkt } } : principal),
      checkTime: (verified) => accept(verified),
    },
    dpop: options.withoutDpop === true ? undefined : dpop,
  })
  const reasonOf = async (
    headers: Record<string, string>,
    target: typeof TARGET | undefined = TARGET,
  ): Promise<string> => {
    const result = await authenticator.authenticate((name) => headers[name], target)
    if (result.ok) return 'accepted'
    const { refusal } = result
    return refusal.reason === 'dpop_proof_invalid' ? refusal.refusal.reason : refusal.reason
  }
  return { authenticator, reasonOf }
}

async function prove(key: ProofKey, changes: ProofChanges = {}): Promise<string> {
  const claims = { htm: 'POST', htu: TARGET.url, iat: clock.now(), ath: toAth('bound') }
  return signProof(key, claims, changes)
}

describe('a token that is bound to a key', () => {
  test('is taken with proof of the key, and says which it is', async () => {
    const headers: Record<string, string> = {
      authorization: 'DPoP bound',
      dpop: await prove(alice),
    }

    const result = await createAgent().authenticator.authenticate((name) => headers[name], TARGET)

    expect(result).toMatchObject({ value: { principal: { confirmation: { jkt: alice.jkt } } } })
  })

  test('is refused as Bearer, with or without a proof', async () => {
    // Attack: a bound token that was stolen, replayed without its key (RFC 9449 §7.2).
    const { reasonOf } = createAgent()

    expect(await reasonOf({ authorization: 'Bearer bound' })).toBe('token_binding_missing')
    expect(await reasonOf({ authorization: 'Bearer bound', dpop: await prove(alice) })).toBe(
      'token_binding_missing',
    )
  })

  test('is refused as Bearer by an agent that knows nothing of proofs, too', async () => {
    const { reasonOf } = createAgent({ withoutDpop: true })

    expect(await reasonOf({ authorization: 'Bearer bound' })).toBe('token_binding_missing')
  })

  test('is refused without a proof, with a used one, and with two', async () => {
    const { reasonOf } = createAgent()
    const authorization = 'DPoP bound'
    const [one, other] = [await prove(alice), await prove(alice)]

    expect([
      await reasonOf({ authorization }),
      await reasonOf({ authorization, dpop: `${one}, ${other}` }),
      await reasonOf({ authorization, dpop: one }),
      await reasonOf({ authorization, dpop: one }),
    ]).toEqual(['token_binding_missing', 'dpop_proof_repeated', 'accepted', 'dpop_replayed'])
  })

  test.each<[string, ProofKey, ProofChanges, string]>([
    // Attack: a stolen token, with proof of the thief's own key.
    ["of another's key", mallory, {}, 'dpop_key_mismatch'],
    // Attack: a proof that was seen elsewhere, used here or with another token.
    ['for another URL', alice, { claims: { htu: 'https://evil.example/' } }, 'dpop_url_mismatch'],
    ['for another method', alice, { claims: { htm: 'GET' } }, 'dpop_method_mismatch'],
    ['for another token', alice, { claims: { ath: toAth('x') } }, 'dpop_token_hash_mismatch'],
    ['for no token', alice, { claims: { ath: undefined } }, 'dpop_token_hash_mismatch'],
  ])('is refused with proof %s', async (...[, key, changes, reason]) => {
    const dpop = await prove(key, changes)

    expect(await createAgent().reasonOf({ authorization: 'DPoP bound', dpop })).toBe(reason)
  })

  test('is refused where nobody says what was asked for, or proofs are not taken', async () => {
    const headers = { authorization: 'DPoP bound', dpop: await prove(alice) }
    const { authenticator } = createAgent()
    const without = createAgent({ withoutDpop: true })

    const blind = await authenticator.authenticate((name) =>
      new Map(Object.entries(headers)).get(name),
    )

    expect(blind).toMatchObject({ refusal: { reason: 'token_binding_not_accepted' } })
    expect(await without.reasonOf(headers)).toBe('token_binding_not_accepted')
  })

  test('needs the nonce of an agent that requires one', async () => {
    const { authenticator, reasonOf } = createAgent({ withNonces: true })
    const headers: Record<string, string> = {
      authorization: 'DPoP bound',
      dpop: await prove(alice),
    }

    const refused = await authenticator.authenticate((name) => headers[name], TARGET)
    const dpop = await prove(alice, { claims: { nonce: nonces.issue() } })

    expect(refused).toMatchObject({
      refusal: { reason: 'dpop_nonce_required', nonce: nonces.issue() },
    })
    expect(await reasonOf({ authorization: 'DPoP bound', dpop })).toBe('accepted')
  })

  test('cannot be judged when nobody can say whether its proof was used', async () => {
    const claimOnce = async () => Promise.reject(new ReplayMemoryUnavailableError('gone'))
    const { reasonOf } = createAgent({ replayMemory: { claimOnce } })

    expect(await reasonOf({ authorization: 'DPoP bound', dpop: await prove(alice) })).toBe(
      'verifier_unavailable',
    )
  })
})

describe('a token that is bound to no key', () => {
  test('is taken as Bearer, whatever proof comes with it', async () => {
    const { reasonOf } = createAgent()

    expect(await reasonOf({ authorization: 'Bearer free' })).toBe('accepted')
    expect(await reasonOf({ authorization: 'Bearer free', dpop: 'nonsense' })).toBe('accepted')
  })

  test('is refused as DPoP, with a proof of any key', async () => {
    const dpop = await prove(mallory, { claims: { ath: toAth('free') } })

    expect(await createAgent().reasonOf({ authorization: 'DPoP free', dpop })).toBe(
      'dpop_token_not_bound',
    )
  })
})

test('an API key cannot be dressed as a bound token', async () => {
  const authorization = `DPoP ${createAgentSecret('apiKey')}`

  expect(await createAgent().reasonOf({ authorization, dpop: await prove(alice) })).toBe(
    'credentials_malformed',
  )
})
