// Writes JWTs in the compact form of RFC 7515 §7.1.
import type { Signer } from '../keys/signer.ts'

/** Signs claims into a JWT. */
export type EncodeJwt = (signer: Signer, claims: object) => Promise<string>

/** Creates an encoder of one `typ`. The header is written once for each key. */
export function createJwtEncoder(type: string): EncodeJwt {
  let held: { readonly kid: string; readonly text: string } | undefined

  function writeHeader({ algorithm, kid }: Signer): string {
    if (held?.kid !== kid) held = { kid, text: toPart({ alg: algorithm, kid, typ: type }) }
    return held.text
  }

  return async (signer, claims) => {
    const input = `${writeHeader(signer)}.${toPart(claims)}`
    return `${input}.${Buffer.from(await signer.sign(input)).toString('base64url')}`
  }
}

function toPart(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
