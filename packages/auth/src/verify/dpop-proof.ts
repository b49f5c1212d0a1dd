// Verifies a DPoP proof (RFC 9449 §4.3): whoever sends the request holds the private key of `jwk`, and
// made the proof for this request, this token and now. The checks stand in the RFC's order, its numbers
// beside them.
import {
  accept,
  PROOF_ALGORITHMS,
  refuse,
  systemClock,
  type Clock,
  type DpopProofClaims,
  type ProofAlgorithm,
  type Result,
} from '../protocol/index.ts'
import {
  checkMethod,
  checkNonce,
  checkTokenHash,
  checkUrl,
  type DpopRequest,
} from './dpop-proof-checks.ts'
import { readClaims, readHeader, readSingle, type ProofKey } from './dpop-proof-form.ts'
import type { DpopRefusal } from './dpop-proof-refusal.ts'
import { normalizeHttpUri } from './dpop-proof-url.ts'
import { importPublicKey, toThumbprint } from './public-key.ts'
import { ReplayMemoryUnavailableError, toReplayKey, type ReplayMemory } from './replay-memory.ts'
import { isSignatureOf } from './signature-scheme.ts'

/** The key that proved itself, by its thumbprint (RFC 7638), and the proof's id. */
export type DpopProof = { readonly jkt: string; readonly jti: string }

export type DpopProofVerifier = {
  /** Verifies the proof and uses it up: the same one is refused from then on. Rejects for no proof. */
  verify(request: DpopRequest): Promise<Result<DpopProof, DpopRefusal>>
  /** What proofs may be signed with. */
  readonly algorithms: readonly ProofAlgorithm[]
}

export type DpopProofVerifierOptions = {
  readonly replayMemory: ReplayMemory
  readonly clock?: Clock | undefined
  /** How old a proof may be. Default 60. */
  readonly maxAgeSeconds?: number | undefined
  /** How far the caller's clock may differ, either way. Default 5. */
  readonly clockToleranceSeconds?: number | undefined
  /** Default: all of `PROOF_ALGORITHMS`. */
  readonly algorithms?: readonly ProofAlgorithm[] | undefined
  /** Longest proof that is read. Default 4096. */
  readonly maxProofChars?: number | undefined
}

const MAX_AGE_SECONDS = 60
const CLOCK_TOLERANCE_SECONDS = 5
const MAX_PROOF_CHARS = 4096

/** Creates a verifier. Throws `TypeError` at once when told to accept an algorithm that is not asymmetric. */
export function createDpopProofVerifier(options: DpopProofVerifierOptions): DpopProofVerifier {
  const { replayMemory } = options
  const clock = options.clock ?? systemClock
  const maxChars = options.maxProofChars ?? MAX_PROOF_CHARS
  const toleranceSeconds = options.clockToleranceSeconds ?? CLOCK_TOLERANCE_SECONDS
  const maxAgeSeconds = (options.maxAgeSeconds ?? MAX_AGE_SECONDS) + toleranceSeconds
  const algorithms = [...(options.algorithms ?? PROOF_ALGORITHMS)]
  // Attack prevented: `alg: none`, and an HMAC whose secret is in the proof itself.
  if (algorithms.length === 0 || !algorithms.every((name) => PROOF_ALGORITHMS.includes(name))) {
    throw new TypeError(`algorithms must be some of ${PROOF_ALGORITHMS.join(', ')}`)
  }

  async function verify(request: DpopRequest): Promise<Result<DpopProof, DpopRefusal>> {
    const proof = readSingle(request.proofs, maxChars) // 1
    if (!proof.ok) return proof
    const header = readHeader(proof.value, algorithms) // 2, 4, 5, 7
    if (!header.ok) return header
    const signer = verifySignature(proof.value.jws, header.value) // 6
    if (!signer.ok) return signer
    const claims = readClaims(proof.value) // 3
    if (!claims.ok) return claims
    const refusal =
      checkMethod(claims.value, request) ?? // 8
      checkUrl(claims.value, request) ?? // 9
      checkNonce(claims.value, request) ?? // 10
      checkAge(claims.value) ?? // 11
      checkTokenHash(claims.value, request) // 12
    if (refusal !== undefined) return refuse(refusal)
    return claim(claims.value, signer.value.jkt)
  }

  function checkAge({ iat }: DpopProofClaims): DpopRefusal | undefined {
    const now = clock.now()
    if (iat > now + toleranceSeconds) return { reason: 'dpop_from_the_future' }
    return iat < now - maxAgeSeconds ? { reason: 'dpop_too_old' } : undefined
  }

  /** Last, so that nothing but a proof that is good in every other way is ever remembered. */
  async function claim(
    { htu, iat, jti }: DpopProofClaims,
    jkt: string,
  ): Promise<Result<DpopProof, DpopRefusal>> {
    const key = toReplayKey('dpop', jkt, normalizeHttpUri(htu) ?? htu, jti)
    try {
      // The first second in which the proof is too old anyway.
      const isFirst = await replayMemory.claimOnce(key, Math.floor(iat) + maxAgeSeconds + 1)
      return isFirst ? accept({ jkt, jti }) : refuse({ reason: 'dpop_replayed' })
    } catch (error) {
      if (!(error instanceof ReplayMemoryUnavailableError)) throw error
      return refuse({ reason: 'replay_memory_unavailable', detail: error.message })
    }
  }

  return Object.freeze({ verify, algorithms })
}

function verifySignature(
  jws: string,
  { algorithm, jwk }: ProofKey,
): Result<{ readonly jkt: string }, DpopRefusal> {
  const key = importPublicKey(jwk)
  if (key === undefined) return refuse({ reason: 'dpop_key_invalid', detail: 'it is no valid key' })
  if (!isSignatureOf({ jws, algorithm, key })) {
    return refuse({ reason: 'dpop_signature_invalid' })
  }
  return accept({ jkt: toThumbprint(jwk) })
}
