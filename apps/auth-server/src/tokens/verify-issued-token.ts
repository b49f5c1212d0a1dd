// Reads a token that somebody presents, whoever it is meant for: this server signed it, it is an access
// token, and its time is not over. Whether it was revoked is asked elsewhere.
import { createAccessTokenVerifier, type SigningKeySource } from '@deputy/auth'
import { AccessTokenClaims, type Clock } from '@deputy/auth/protocol'
import { decodeJwt } from 'jose'

export type IssuedTokenVerifierOptions = {
  readonly issuer: string
  readonly keys: SigningKeySource
  readonly clock: Clock
}

/** Answers the claims, or `undefined` for whatever is not a good token of this server. */
export type VerifyIssuedToken = (token: string) => Promise<AccessTokenClaims | undefined>

/** Creates the check. */
export function createIssuedTokenVerifier(options: IssuedTokenVerifierOptions): VerifyIssuedToken {
  return async (token) => {
    const claims = readClaims(token)
    const audience = claims === undefined ? undefined : [claims.aud].flat()[0]
    if (claims === undefined || audience === undefined) return undefined
    // The clock that signed the token is this one.
    const verifier = createAccessTokenVerifier({ ...options, audience, clockToleranceSeconds: 0 })
    const verified = await verifier.verify(token)
    return verified.ok ? claims : undefined
  }
}

/** Reads claims that are not verified yet. */
function readClaims(token: string): AccessTokenClaims | undefined {
  try {
    return AccessTokenClaims.safeParse(decodeJwt(token)).data
  } catch {
    return undefined
  }
}
