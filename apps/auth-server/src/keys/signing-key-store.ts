import type { EpochSeconds, SignatureAlgorithm } from '@deputy/auth/protocol'
import type { JWK } from 'jose'

type SigningKeyPair = {
  readonly kid: string
  readonly algorithm: SignatureAlgorithm
  readonly publicJwk: JWK
  /** Also when it became public: every key is in the JWKS from its first moment. */
  readonly createdAt: EpochSeconds
}

/** Published, so that verifiers know it before it signs. */
export type NextSigningKey = SigningKeyPair & {
  readonly state: 'next'
  readonly sealedPrivateKey: string
}

/** Signs. */
export type ActiveSigningKey = SigningKeyPair & {
  readonly state: 'active'
  readonly sealedPrivateKey: string
  readonly activatedAt: EpochSeconds
}

/** Only verifies what it signed before: its private half was erased. */
export type RetiredSigningKey = SigningKeyPair & {
  readonly state: 'retired'
  readonly activatedAt: EpochSeconds
  readonly retiredAt: EpochSeconds
}

export type SigningKeyRecord = NextSigningKey | ActiveSigningKey | RetiredSigningKey

export type Rotation = {
  readonly retire: string
  readonly activate: string
  /** Takes the place of the one that becomes active. */
  readonly next: NextSigningKey
  readonly now: EpochSeconds
}

export type Replacement = {
  /** The active key that the caller knows. */
  readonly activeKid: string
  readonly active: ActiveSigningKey
  readonly next: NextSigningKey
}

/**
 * Where signing keys are kept. There is never more than one active and one next key. Every change
 * names what it takes for granted, and answers `false`, changing nothing, when another server was
 * faster: of any number that try the same at once, exactly one succeeds.
 */
export type SigningKeyStore = {
  /** Newest first. */
  list(): Promise<readonly SigningKeyRecord[]>
  /** Stores the first key; `false` when there is an active one. */
  insertFirst(key: ActiveSigningKey): Promise<boolean>
  /** `false` when there is a next key. */
  insertNext(key: NextSigningKey): Promise<boolean>
  /** Puts a key in the place of the next one, which never signed and is gone. */
  replaceNext(kid: string, key: NextSigningKey): Promise<boolean>
  /** Retires, erasing the private half, activates and inserts, all or nothing. */
  rotate(rotation: Rotation): Promise<boolean>
  /** Removes every key, retired ones too, and begins with these two, all or nothing. */
  replaceAll(replacement: Replacement): Promise<boolean>
  /** Replaces what a private half is sealed as, leaving no trace of what it was before. */
  reseal(kid: string, sealed: { readonly from: string; readonly to: string }): Promise<boolean>
  /** Removes keys that were retired at this time or before. */
  removeRetired(retiredAt: EpochSeconds): Promise<void>
}
