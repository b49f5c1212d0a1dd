import type { SignatureAlgorithm } from '@deputy/auth/protocol'
import type { KeyObject } from 'node:crypto'

/** One key that signs. Holding one stays harmless after a rotation: its public half is still served. */
export type Signer = {
  readonly kid: string
  readonly algorithm: SignatureAlgorithm
  /**
   * Signs a JWS signing input (RFC 7515 §5.1), off the main thread. Answers the signature in JOSE form
   * (RFC 7518 §3.4: R and S side by side, not DER).
   */
  sign(input: string): Promise<Uint8Array>
  /**
   * For a thread that has work of its own and signs on its way: `signNow`. `undefined` where a signature
   * takes so long that it is better made by several threads at once, which is RSA.
   */
  readonly handle: SigningHandle | undefined
}

/** A key as it is lent to another thread of this process: never copied, never written down. */
export type SigningHandle = { readonly algorithm: 'ES256' | 'EdDSA'; readonly key: KeyObject }
