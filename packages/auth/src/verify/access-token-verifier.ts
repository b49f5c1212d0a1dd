// Verifies a Deputy access token: a JWT by RFC 9068. The order is fixed and the same everywhere:
// form → signature → typ → iss → aud → time. A token that is both foreign and expired is foreign. The signature is
// checked by OpenSSL, on libuv's threads (docs/adr/0041).
import {
  accept,
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
import { readCompactJws } from './compact-jws.ts'
import { SigningKeysUnavailableError, type SigningKeySource } from './signing-key-source.ts'
import {
  checkTokenClaims,
  readTokenHeader,
  type ClaimRules,
  type TokenHeader,
} from './token-form.ts'
import { verifySignature } from './verify-signature.ts'

/** Turns the text of an access token into a principal, or says why not. Never throws for a bad token. */
export type AccessTokenVerifier = {
  verify(token: string): Promise<Result<Principal, CredentialRefusal>>
  /** Checks the time alone, for a principal that was verified before and is still on the line. */
  checkTime(principal: Principal): Result<Principal, CredentialRefusal>
  /** For how long after its end a token is still taken. Default: no moment. */
  readonly clockToleranceSeconds?: number | undefined
}

export type AccessTokenVerifierOptions = {
  /** The only issuer whose tokens are taken: compared exactly with `iss`. */
  readonly issuer: string
  /** This agent's id: must be in `aud`. */
  readonly audience: string
  readonly keys: SigningKeySource
  /** Signature algorithms that are accepted. Default: ES256, EdDSA, RS256. */
  readonly algorithms?: readonly SignatureAlgorithm[] | undefined
  /** How far clocks may differ. Default 5 seconds; 300 at most, for as long as revocations are told after a token's end. */
  readonly clockToleranceSeconds?: number | undefined
  readonly clock?: Clock | undefined
}

/** Default for how far the issuer's clock and this one may differ. */
export const DEFAULT_CLOCK_TOLERANCE_SECONDS = 5

/** The most that may be tolerated: an authorization server tells of what it revoked for so long after a token's end. */
const MAX_CLOCK_TOLERANCE_SECONDS = 300

/**
 * Creates a verifier. Throws `TypeError` at once when told to accept an algorithm that is not asymmetric, or to tolerate
 * more than 300 seconds.
 */
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

  if (!(toleranceSeconds >= 0 && toleranceSeconds <= MAX_CLOCK_TOLERANCE_SECONDS)) {
    const most = String(MAX_CLOCK_TOLERANCE_SECONDS)
    throw new TypeError(`clockToleranceSeconds must be 0 to ${most} seconds`)
  }

  async function checkSignature(
    jws: string,
    { algorithm, kid }: TokenHeader,
  ): Promise<CredentialRefusal | undefined> {
    try {
      const key = await keys({ algorithm, kid })
      if (key === undefined) return { reason: 'token_signature_invalid', detail: 'no such key' }
      const isGood = await verifySignature({ jws, algorithm, key })
      return isGood ? undefined : { reason: 'token_signature_invalid', detail: 'not of the key' }
    } catch (error) {
      if (!(error instanceof SigningKeysUnavailableError)) throw error
      return { reason: 'verifier_unavailable', detail: error.message }
    }
  }

  return Object.freeze({
    clockToleranceSeconds: toleranceSeconds,

    async verify(token: string) {
      const jws = readCompactJws(token)
      if (jws === undefined) return refuse({ reason: 'token_malformed', detail: 'no signed JWT' })
      const header = readTokenHeader(jws.header, algorithms)
      if (!header.ok) return header
      const bad = await checkSignature(token, header.value)
      if (bad !== undefined) return refuse(bad)
      // The time of now: the keys may have been waited for.
      const rules: ClaimRules = { issuer, audience, toleranceSeconds, now: clock.now() }
      const refusal = checkTokenClaims(jws.payload, header.value, rules)
      return refusal === undefined ? toPrincipal(jws.payload, audience) : refuse(refusal)
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

function toPrincipal(payload: unknown, audience: string): Result<Principal, CredentialRefusal> {
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
