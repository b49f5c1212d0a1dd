import type { EpochSeconds } from '@deputy/auth/protocol'
import type { JWK } from 'jose'

/** A signing key pair. The private half is as secret as every token it can sign. */
export type SigningKeyRecord = {
  readonly kid: string
  readonly algorithm: 'ES256'
  readonly publicJwk: JWK
  readonly privateJwk: JWK
  readonly createdAt: EpochSeconds
}

/** Where signing keys are kept. */
export type SigningKeyStore = {
  /** Newest first: the first one signs, all of them verify. */
  list(): Promise<readonly SigningKeyRecord[]>
  /** Stores the key only if there is none at all, so that two first starts agree on one. */
  insertFirst(key: SigningKeyRecord): Promise<void>
}
