// What a token says of itself: the JOSE header before its signature is checked (RFC 7515 §4), and the claims that
// stand for anything only afterwards (RFC 7519 §4.1, RFC 9068 §4).
import {
  accept,
  ACCESS_TOKEN_TYPE,
  refuse,
  type EpochSeconds,
  type Result,
  type SignatureAlgorithm,
} from '../protocol/index.ts'
import type { CredentialRefusal } from '../refusal.ts'

/** What the signature is to be checked with, and what kind of token it is said to be. */
export type TokenHeader = {
  readonly algorithm: SignatureAlgorithm
  readonly kid: string | undefined
  /** As it was sent. */
  readonly typ: unknown
}

/** Reads the header. Refuses an algorithm that is not among those given, and every critical extension. */
export function readTokenHeader(
  header: unknown,
  algorithms: readonly SignatureAlgorithm[],
): Result<TokenHeader, CredentialRefusal> {
  if (!isObject(header)) {
    return refuse({ reason: 'token_malformed', detail: 'its header is no JSON object' })
  }
  // > If any of the listed extension Header Parameters are not understood and supported by the recipient, then the
  // > JWS is invalid. (RFC 7515 §4.1.11) None is.
  if (Object.hasOwn(header, 'crit')) {
    return refuse({ reason: 'token_signature_invalid', detail: 'crit names extensions' })
  }
  const { alg, kid, typ } = header
  const algorithm = algorithms.find((name) => name === alg)
  if (algorithm === undefined) {
    const detail = `algorithm refused: ${JSON.stringify(alg ?? 'missing').slice(0, 32)}`
    return refuse({ reason: 'token_signature_invalid', detail })
  }
  if (kid !== undefined && typeof kid !== 'string') {
    return refuse({ reason: 'token_malformed', detail: 'its kid is no text' })
  }
  return accept({ algorithm, kid, typ })
}

export type ClaimRules = {
  readonly issuer: string
  readonly audience: string
  readonly toleranceSeconds: number
  readonly now: EpochSeconds
}

/** Checks what every JWT of an issuer must say: typ → iss → aud → time. Whether the rest is there is not looked at. */
export function checkTokenClaims(
  claims: unknown,
  { typ }: Pick<TokenHeader, 'typ'>,
  { audience, issuer, now, toleranceSeconds }: ClaimRules,
): CredentialRefusal | undefined {
  if (!isObject(claims)) {
    return { reason: 'token_malformed', detail: 'its payload is no JSON object' }
  }
  if (!isAccessTokenType(typ)) {
    return { reason: 'token_type_invalid', detail: `typ must be ${ACCESS_TOKEN_TYPE}` }
  }
  const { aud, exp, iat, iss, nbf } = claims
  if (iss !== issuer) {
    return { reason: 'token_issuer_invalid', detail: 'iss is not the expected issuer' }
  }
  if (aud !== audience && !(Array.isArray(aud) && aud.includes(audience))) {
    return { reason: 'token_audience_invalid', expected: audience }
  }
  if (!isNumber(iat)) return { reason: 'token_malformed', detail: 'iat must be a number' }
  if (!isNumber(exp)) return { reason: 'token_malformed', detail: 'exp must be a number' }
  if (nbf !== undefined && !isNumber(nbf)) {
    return { reason: 'token_malformed', detail: 'nbf must be a number' }
  }
  if (nbf !== undefined && nbf > now + toleranceSeconds) {
    return { reason: 'token_not_yet_valid', detail: 'nbf lies in the future' }
  }
  if (exp <= now - toleranceSeconds) return { reason: 'token_expired', expiredAt: exp }
  return undefined
}

/**
 * > A recipient using the media type value SHOULD treat it as if "application/" were prepended to any "typ" value not
 * > containing a "/". (RFC 7515 §4.1.9) Media types are compared without regard to case.
 */
function isAccessTokenType(typ: unknown): boolean {
  if (typ === ACCESS_TOKEN_TYPE) return true
  if (typeof typ !== 'string') return false
  const type = typ.toLowerCase()
  return type === ACCESS_TOKEN_TYPE || type === `application/${ACCESS_TOKEN_TYPE}`
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
