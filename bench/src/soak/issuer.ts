// An authorization server as far as clients see it, without a port: what it takes up is not what is soaked.
import { AGENT_ID, ISSUER } from '../calls/scenario.ts'
import { createJwtSigner } from '../token/servers/jwt-signer.ts'

export type SoakIssuer = {
  /** The body of its JWKS. */
  readonly jwks: string
  readonly fetch: typeof fetch
  /** Tokens so far. */
  readonly issued: number
}

/** Creates it. @param ttlSeconds how long its tokens are good */
export function createSoakIssuer(ttlSeconds: number): SoakIssuer {
  const signer = createJwtSigner()
  let issued = 0

  async function issue(request: Request): Promise<Response> {
    const basic = atob((request.headers.get('authorization') ?? '').replace('Basic ', ''))
    const clientId = decodeURIComponent(basic.split(':')[0] ?? '')
    const iat = Math.floor(Date.now() / 1000)
    issued += 1
    const jti = `token-${String(issued)}`
    const accessToken = await signer.sign({
      iss: ISSUER,
      sub: clientId,
      client_id: clientId,
      aud: AGENT_ID,
      scope: 'notes:read',
      iat,
      exp: iat + ttlSeconds,
      jti,
      grant_path: [`key-${clientId}`, jti],
    })
    return Response.json({
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: ttlSeconds,
      scope: 'notes:read',
    })
  }

  return {
    jwks: signer.jwks,
    get issued() {
      return issued
    },
    fetch: async (input, init) => {
      const request = new Request(input, init)
      if (request.url === `${ISSUER}/token`) return issue(request)
      return Response.json({
        issuer: ISSUER,
        token_endpoint: `${ISSUER}/token`,
        jwks_uri: `${ISSUER}/jwks`,
        response_types_supported: [],
      })
    },
  }
}
