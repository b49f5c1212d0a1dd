// Public keys that callers bring along (RFC 7517, RFC 7518 §6, RFC 8037): in a DPoP proof, or registered
// for client assertions. Only what can verify a signature, and never anything secret.
import * as z from 'zod'
import { accept, refuse, type Result } from './result.ts'
import { NonEmptyText } from './text.ts'

/** Algorithms that callers may sign with: asymmetric only, never `none`, never HMAC. */
export const PROOF_ALGORITHMS = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'PS256',
  'RS256',
] as const
export type ProofAlgorithm = (typeof PROOF_ALGORITHMS)[number]

/** Members of private and of symmetric keys (RFC 7518 §§6.2.2, 6.3.2, 6.4; RFC 8037 §2). */
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** Base64url without padding, of this many characters. */
function base64url(minChars: number, maxChars = minChars) {
  return z.string().regex(new RegExp(`^[A-Za-z0-9_-]{${String(minChars)},${String(maxChars)}}$`))
}

function ec<const Curve extends string>(crv: Curve, chars: number) {
  const coordinate = base64url(chars)
  return z.object({ kty: z.literal('EC'), crv: z.literal(crv), x: coordinate, y: coordinate })
}

const uses = z.object({
  kid: NonEmptyText.max(256).optional(),
  alg: z.string().max(64).optional(),
  use: z.string().max(64).optional(),
  key_ops: z.array(z.string().max(64)).max(16).optional(),
})

/** The parameters that make a public key; all that counts for its thumbprint (RFC 7638 §3.2). */
const KeyParameters = z.union([
  ec('P-256', 43),
  ec('P-384', 64),
  ec('P-521', 88),
  z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: base64url(43) }),
  // 2048 to 4096 bits. Attack prevented: a key so large that one verification keeps a core busy.
  z.object({ kty: z.literal('RSA'), n: base64url(342, 683), e: z.literal('AQAB') }),
])
export type KeyParameters = z.infer<typeof KeyParameters>

/** A public key; members that say nothing here are left out. */
export const PublicJwk = z.intersection(KeyParameters, uses)
export type PublicJwk = z.infer<typeof PublicJwk>

/** Why something is no key to verify with. `detail` is about the key's form and holds none of it. */
export type PublicJwkRefusal =
  | { readonly reason: 'key_private'; readonly detail: string }
  | { readonly reason: 'key_symmetric'; readonly detail: string }
  | { readonly reason: 'key_unusable'; readonly detail: string }

/**
 * Reads a JWK. Refuses a private or symmetric key, an unknown curve, RSA below 2048 or above 4096 bits.
 * @param context how zod is to parse. Default: by code that it makes with the first key
 */
export function parsePublicJwk(
  value: unknown,
  context?: z.core.ParseContext<z.core.$ZodIssue>,
): Result<PublicJwk, PublicJwkRefusal> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse({ reason: 'key_unusable', detail: 'a key must be a JSON object' })
  }
  if ('kty' in value && value.kty === 'oct') {
    return refuse({ reason: 'key_symmetric', detail: 'a shared secret is no public key' })
  }
  const secret = SECRET_MEMBERS.find((name) => Object.hasOwn(value, name))
  if (secret !== undefined) {
    return refuse({ reason: 'key_private', detail: `the member "${secret}" is private` })
  }
  const parsed = PublicJwk.safeParse(value, context)
  if (parsed.success) return accept(parsed.data)
  const detail = 'use EC (P-256, P-384, P-521), OKP (Ed25519) or RSA (2048 to 4096 bits, e=AQAB)'
  return refuse({ reason: 'key_unusable', detail })
}

/** The key alone, without what it is called and meant for. */
export function toKeyParameters(jwk: PublicJwk): KeyParameters {
  return KeyParameters.parse(jwk)
}

/** Whether signatures of this algorithm may be verified with the key, as its members say. */
export function isKeyFor(jwk: PublicJwk, algorithm: ProofAlgorithm): boolean {
  const isMeant =
    (jwk.alg === undefined || toFamily(jwk.alg) === toFamily(algorithm)) &&
    (jwk.use === undefined || jwk.use === 'sig') &&
    (jwk.key_ops === undefined || jwk.key_ops.includes('verify'))
  return isMeant && listAlgorithms(jwk).includes(algorithm)
}

/** What can be verified with a key of this kind. */
function listAlgorithms(jwk: PublicJwk): readonly ProofAlgorithm[] {
  if (jwk.kty === 'RSA') return ['RS256', 'PS256']
  switch (jwk.crv) {
    case 'P-256':
      return ['ES256']
    case 'P-384':
      return ['ES384']
    case 'P-521':
      return ['ES512']
    case 'Ed25519':
      return ['EdDSA', 'Ed25519']
  }
}

/** RFC 9864 gave `EdDSA` on this curve the name `Ed25519`: both are the same. */
function toFamily(algorithm: string): string {
  return algorithm === 'Ed25519' ? 'EdDSA' : algorithm
}
