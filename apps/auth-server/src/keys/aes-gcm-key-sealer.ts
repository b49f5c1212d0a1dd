// AES-256-GCM under a key that is not in the store. A sealed text reads
// `v1.<name of the sealing key>.<nonce>.<ciphertext>.<tag>`, each part base64url.
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import { KeySealError, type KeySealer } from './key-sealer.ts'

export type AesGcmKeySealerOptions = {
  /** 32 bytes. */
  readonly key: Uint8Array
  /** Keys that still open, so that what they sealed can be sealed anew. */
  readonly previousKeys?: readonly Uint8Array[] | undefined
  /** Where the key comes from, for messages: a variable or a file. */
  readonly source: string
}

const VERSION = 'v1'
const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Whether a text has the form of something sealed. */
export function isSealed(text: string): boolean {
  return text.startsWith(`${VERSION}.`)
}

/** Creates the sealer. */
export function createAesGcmKeySealer(options: AesGcmKeySealerOptions): KeySealer {
  const { key, previousKeys = [], source } = options
  const currentName = nameKey(key)
  const keys = new Map([...previousKeys, key].map((one) => [nameKey(one), one]))

  return Object.freeze({
    seal(kid: string, plaintext: string) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
      // Attack prevented: who can write to the store puts the sealed key of one row into another.
      cipher.setAAD(Buffer.from(kid))
      const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()])
      const parts = [nonce, ciphertext, cipher.getAuthTag()]
      return [VERSION, currentName, ...parts.map((part) => part.toString('base64url'))].join('.')
    },

    open(kid: string, sealed: string) {
      const [version, name = '', ...parts] = sealed.split('.')
      if (version !== VERSION) throw new KeySealError(`the signing key ${kid} is not sealed`)
      const opening = keys.get(name)
      if (opening === undefined) {
        throw new KeySealError(
          `the signing key ${kid} was sealed under another key than that of ${source}: ` +
            'put the former one back, or name it in DEPUTY_PREVIOUS_KEY_ENCRYPTION_KEYS',
        )
      }
      try {
        return decrypt(opening, kid, parts)
      } catch {
        // No cause: nothing that OpenSSL could say of it helps, and it has seen the key.
        throw new KeySealError(
          `the signing key ${kid} was changed in the database since it was sealed: restore a backup`,
        )
      }
    },

    isCurrent: (sealed: string) => sealed.startsWith(`${VERSION}.${currentName}.`),
  })
}

function decrypt(key: Uint8Array, kid: string, parts: readonly string[]): string {
  const [nonce, ciphertext, tag] = parts.map((part) => Buffer.from(part, 'base64url'))
  if (nonce === undefined || ciphertext === undefined || tag === undefined) {
    throw new TypeError('a part is missing')
  }
  // Attack prevented: a tag cut short can be guessed.
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(kid)).setAuthTag(tag)
  return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString('utf8')
}

/** Names a sealing key without telling anything of it. */
function nameKey(key: Uint8Array): string {
  return createHmac('sha256', key).update('deputy key name').digest('base64url').slice(0, 11)
}
