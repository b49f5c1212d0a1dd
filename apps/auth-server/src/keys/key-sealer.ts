/**
 * Seals private keys for the store, so that who reads the store, or a backup of it, cannot sign.
 * `open` takes only what was sealed for the same `kid`.
 */
export type KeySealer = {
  seal(kid: string, plaintext: string): string
  /** Throws `KeySealError` when it was sealed under an unknown key, for another `kid`, or changed. */
  open(kid: string, sealed: string): string
  /** Whether it was sealed under the current key, and not under a former one or not at all. */
  isCurrent(sealed: string): boolean
}

/** Private keys cannot be sealed or opened. The message names the variable or the file to mend. */
export class KeySealError extends Error {
  override readonly name = 'KeySealError'
  readonly code = 'key_seal_failed'
}
