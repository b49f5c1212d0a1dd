import type { SignatureAlgorithm } from '@deputy/auth/protocol'

/** One key that signs. Holding one stays harmless after a rotation: its public half is still served. */
export type Signer = {
  readonly kid: string
  readonly algorithm: SignatureAlgorithm
  /** Answers the signature in JOSE form (RFC 7518 §3.4: R and S side by side, not DER). */
  sign(data: string | Uint8Array): Promise<Uint8Array>
}
