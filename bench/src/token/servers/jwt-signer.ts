// Signs as the authorization server does, with its own signer and encoder: what differs between the
// servers is then what each does around the signature.
import { createNodeSigner } from '../../../../apps/auth-server/src/keys/node-signer.ts'
import { createJwtEncoder, signJwt } from '../../../../apps/auth-server/src/tokens/jwt-encoder.ts'
import { createSigningKey } from './settings.ts'

export type JwtSigner = {
  /** The body of the JWKS. */
  readonly jwks: string
  sign(claims: object): Promise<string>
}

/** Creates a signer with a new key. */
export function createJwtSigner(): JwtSigner {
  const { kid, privateJwk, publicJwk } = createSigningKey()
  const signer = createNodeSigner({ kid, algorithm: 'ES256', privateJwk })
  const encode = createJwtEncoder('at+jwt')
  return {
    jwks: JSON.stringify({ keys: [publicJwk] }),
    sign: async (claims) => signJwt(encode(signer, claims)),
  }
}
