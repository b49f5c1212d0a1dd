/** 32 bytes in base64url, without padding. */
const ENCODED_KEY = /^[A-Za-z0-9_-]{43}$/

/** Reads a key that seals signing keys; `undefined` for anything else than 32 bytes in base64url. */
export function parseEncryptionKey(text: string): Uint8Array | undefined {
  return ENCODED_KEY.test(text) ? Buffer.from(text, 'base64url') : undefined
}
