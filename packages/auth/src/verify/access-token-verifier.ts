// Verifies a Deputy access token: a JWT by RFC 9068. The order is fixed and the same everywhere:
// form → signature → typ → iss → aud → time. A token that is both foreign and expired is foreign.
import { decodeProtectedHeader, errors, jwtVerify, type JWTPayload } from 'jose'
import {
  accept,
  ACCESS_TOKEN_TYPE,
  AccessTokenClaims,
  parseScope,
  refuse,
  SIGNATURE_ALGORITHMS,
  systemClock,
  type ActClaim,
  type Clock,
  type Result,
  type SignatureAlgorithm,
} from '../protocol/index.ts'
import type { Principal } from '../principal.ts'
import type { CredentialRefusal } from '../refusal.ts'
import { SigningKeysUnavailableError, type SigningKeySource } from './signing-key-source.ts'

/** Turns the text of an access token into a principal, or says why not. Never throws for a bad token. */
export type AccessTokenVerifier = {
  verify(token: string): Promise<Result<Principal, CredentialRefusal>>
  /** Checks the time alone, for a principal that was verified before and is still on the line. */
  checkTime(principal: Principal): Result<Principal, CredentialRefusal>
}

export type AccessTokenVerifierOptions = {
  /** The only issuer whose tokens are taken: compared exactly with `iss`. */
  readonly issuer: string
  /** This agent's id: must be in `aud`. */
  readonly audience: string
  readonly keys: SigningKeySource
  /** Signature algorithms that are accepted. Default: ES256, EdDSA, RS256. */
  readonly algorithms?: readonly SignatureAlgorithm[] | undefined
  /** How far clocks may differ. Default 5 seconds. */
  readonly clockToleranceSeconds?: number | undefined
  readonly clock?: Clock | undefined
}

/** Default for how far the issuer's clock and this one may differ. */
export const DEFAULT_CLOCK_TOLERANCE_SECONDS = 5

/** Creates a verifier. Throws `TypeError` at once when told to accept an algorithm that is not asymmetric. */
export function createAccessTokenVerifier(
  options: AccessTokenVerifierOptions,
): AccessTokenVerifier {
  const { audience, issuer, keys } = options
  const clock = options.clock ?? systemClock
  const toleranceSeconds = options.clockToleranceSeconds ?? DEFAULT_CLOCK_TOLERANCE_SECONDS
  const algorithms = [...(options.algorithms ?? SIGNATURE_ALGORITHMS)]
  // Attack prevented: `alg: none`, and an HMAC keyed with the public key.
  const stranger = algorithms.find((name) => !SIGNATURE_ALGORITHMS.includes(name))
  if (stranger !== undefined || algorithms.length === 0) {
    throw new TypeError(
      `algorithms must be some of ${SIGNATURE_ALGORITHMS.join(', ')}, not ${stranger ?? 'none'}`,
    )
  }

  return Object.freeze({
    async verify(token: string) {
      try {
        const { payload } = await jwtVerify(token, keys, {
          algorithms,
          typ: ACCESS_TOKEN_TYPE,
          issuer,
          audience,
          clockTolerance: toleranceSeconds,
          currentDate: new Date(clock.now() * 1000),
          requiredClaims: ['exp', 'iat'],
        })
        return toPrincipal(payload, audience)
      } catch (error) {
        return refuse(toRefusal(error, token, audience))
      }
    },

    checkTime(principal: Principal) {
      const { expiresAt } = principal
      if (expiresAt !== undefined && expiresAt <= clock.now() - toleranceSeconds) {
        return refuse({ reason: 'token_expired', expiredAt: expiresAt })
      }
      return accept(principal)
    },
  })
}

function toPrincipal(payload: JWTPayload, audience: string): Result<Principal, CredentialRefusal> {
  const claims = AccessTokenClaims.safeParse(payload)
  if (!claims.success) {
    const names = claims.error.issues.map((issue) => issue.path.join('.')).join(', ')
    return refuse({
      reason: 'token_malformed',
      detail: `claims missing or of a wrong type: ${names}`,
    })
  }
  const { act, client_id: clientId, cnf, exp, jti, scope, sub } = claims.data
  const scopes = scope === undefined || scope === '' ? accept([]) : parseScope(scope)
  if (!scopes.ok) return refuse({ reason: 'token_malformed', detail: scopes.refusal.detail })
  const actors = listActors(act)
  return accept({
    agentId: actors[0] ?? clientId,
    subject: sub,
    ...(claims.data.owner_id === undefined ? {} : { ownerId: claims.data.owner_id }),
    audience,
    scopes: scopes.value,
    priorActors: actors.slice(1),
    expiresAt: exp,
    ...(cnf === undefined ? {} : { confirmation: { jkt: cnf.jkt } }),
    rateLimitTier: claims.data.rate_limit_tier,
    grantPath: claims.data.grant_path ?? [jti],
    limits: claims.data.authorization_details ?? [],
    credential: { kind: 'access_token', id: jti },
  })
}

function listActors(act: ActClaim | undefined): readonly string[] {
  const actors: string[] = []
  for (let actor = act; actor !== undefined; actor = actor.act) actors.push(actor.sub)
  return actors
}

/** Translates jose's errors, by their stable codes. Anything unknown is a bug and is thrown on. */
function toRefusal(error: unknown, token: string, audience: string): CredentialRefusal {
  if (error instanceof SigningKeysUnavailableError) {
    return { reason: 'verifier_unavailable', detail: error.message }
  }
  if (error instanceof errors.JWTExpired) {
    return { reason: 'token_expired', expiredAt: error.payload.exp }
  }
  if (error instanceof errors.JWTClaimValidationFailed) return toClaimRefusal(error, audience)
  if (
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys
  ) {
    return { reason: 'token_signature_invalid', detail: error.code }
  }
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) {
    return {
      reason: 'token_signature_invalid',
      detail: `algorithm refused: ${readAlgorithm(token)}`,
    }
  }
  if (error instanceof errors.JOSEError) return { reason: 'token_malformed', detail: error.code }
  throw error
}

function toClaimRefusal(
  error: errors.JWTClaimValidationFailed,
  audience: string,
): CredentialRefusal {
  switch (error.claim) {
    case 'typ':
      return { reason: 'token_type_invalid', detail: `typ must be ${ACCESS_TOKEN_TYPE}` }
    case 'iss':
      return { reason: 'token_issuer_invalid', detail: 'iss is not the expected issuer' }
    case 'aud':
      return { reason: 'token_audience_invalid', expected: audience }
    case 'nbf':
    case 'iat':
      return error.reason === 'check_failed'
        ? { reason: 'token_not_yet_valid', detail: `${error.claim} lies in the future` }
        : { reason: 'token_malformed', detail: `${error.claim}: ${error.reason}` }
    default:
      return { reason: 'token_malformed', detail: `${error.claim}: ${error.reason}` }
  }
}

function readAlgorithm(token: string): string {
  try {
    return JSON.stringify(decodeProtectedHeader(token).alg ?? 'missing').slice(0, 32)
  } catch {
    return 'unreadable'
  }
}
