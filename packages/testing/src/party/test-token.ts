import { AccessTokenClaims, SubjectToken } from '@deputy/auth/protocol'

/** An access token of the world's own server: printing it shows its claims, never the token. */
export class TestToken extends SubjectToken {
  readonly claims: AccessTokenClaims

  constructor(token: string) {
    super(token)
    const payload = token.split('.')[1] ?? ''
    this.claims = AccessTokenClaims.parse(
      JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')),
    )
  }
}
