// Writes JWTs in the compact form of RFC 7515 §7.1.
import type { Signer } from '../keys/signer.ts'

/** A JWT that is still to be signed. */
export type UnsignedJwt = {
  readonly signer: Signer
  /** The signing input (RFC 7515 §5.1): header and claims. */
  readonly input: string
}

/** Writes header and claims. */
export type EncodeJwt = (signer: Signer, claims: object) => UnsignedJwt

/** Creates an encoder of one `typ`. The header is written once for each key. */
export function createJwtEncoder(type: string): EncodeJwt {
  let held: { readonly kid: string; readonly text: string } | undefined

  function writeHeader({ algorithm, kid }: Signer): string {
    if (held?.kid !== kid) held = { kid, text: toPart({ alg: algorithm, kid, typ: type }) }
    return held.text
  }

  return (signer, claims) => ({ signer, input: `${writeHeader(signer)}.${toPart(claims)}` })
}

/** Puts the signature behind what it signs. */
export function toSignedJwt({ input }: UnsignedJwt, signature: Uint8Array): string {
  const { buffer, byteLength, byteOffset } = signature
  return `${input}.${Buffer.from(buffer, byteOffset, byteLength).toString('base64url')}`
}

/** Signs, where nothing is to be written down between the claims and the signature. */
export async function signJwt(jwt: UnsignedJwt): Promise<string> {
  return toSignedJwt(jwt, await jwt.signer.sign(jwt.input))
}

function toPart(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
