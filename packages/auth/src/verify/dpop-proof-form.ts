// The form of a DPoP proof (RFC 9449 §§4.2, 4.3): nothing is verified here.
import {
  accept,
  DPOP_PROOF_TYPE,
  DpopProofClaims,
  DpopProofHeader,
  isKeyFor,
  parsePublicJwk,
  refuse,
  type ProofAlgorithm,
  type PublicJwk,
  type Result,
} from '../protocol/index.ts'
import { readCompactJws, type CompactJws } from './compact-jws.ts'
import type { DpopRefusal } from './dpop-proof-refusal.ts'

/** A proof as it was sent, and what it says of itself. */
export type SentProof = CompactJws & { readonly jws: string }

/** > There is not more than one DPoP HTTP request header field. > […] a single and well-formed JWT. */
export function readSingle(
  proofs: readonly string[],
  maxChars: number,
): Result<SentProof, DpopRefusal> {
  const [proof, ...others] = proofs
  if (proof === undefined) return refuse({ reason: 'dpop_proof_missing' })
  // Servers join values of one header by commas, of which a JWT has none.
  if (others.length > 0 || proof.includes(',')) return refuse({ reason: 'dpop_proof_repeated' })
  if (proof.length > maxChars) {
    return malformed(`it is longer than ${String(maxChars)} characters`)
  }
  const parts = readCompactJws(proof)
  return parts === undefined ? malformed('it is no signed JWT') : accept({ ...parts, jws: proof })
}

/** The key of a proof, and what its signature is made with. */
export type ProofKey = { readonly algorithm: ProofAlgorithm; readonly jwk: PublicJwk }

/** Reads what the signature is to be verified with. */
export function readHeader(
  proof: SentProof,
  algorithms: readonly ProofAlgorithm[],
): Result<ProofKey, DpopRefusal> {
  const parsed = DpopProofHeader.safeParse(proof.header)
  if (!parsed.success) return malformed('its header is no JSON object, or has a crit member')
  const header = parsed.data
  if (header.typ !== DPOP_PROOF_TYPE) return refuse({ reason: 'dpop_type_invalid' })
  const algorithm = algorithms.find((name) => name === header.alg)
  if (algorithm === undefined) return refuse({ reason: 'dpop_algorithm_not_allowed', algorithms })
  // > The jwk JOSE Header Parameter does not contain a private key.
  const jwk = parsePublicJwk(header.jwk)
  if (!jwk.ok) return refuse({ reason: 'dpop_key_invalid', detail: jwk.refusal.detail })
  if (isKeyFor(jwk.value, algorithm)) return accept({ algorithm, jwk: jwk.value })
  return refuse({ reason: 'dpop_key_invalid', detail: `it is no key for ${algorithm}` })
}

/** Reads the payload. */
export function readClaims(proof: SentProof): Result<DpopProofClaims, DpopRefusal> {
  const claims = DpopProofClaims.safeParse(proof.payload)
  if (claims.success) return accept(claims.data)
  const names = claims.error.issues.map((issue) => issue.path.join('.')).filter(Boolean)
  return malformed(`claims are missing or of a wrong type: ${names.join(', ')}`)
}

function malformed(detail: string): Result<never, DpopRefusal> {
  return refuse({ reason: 'dpop_proof_malformed', detail })
}
