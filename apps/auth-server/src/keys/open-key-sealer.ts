// Where the sealing key comes from: the environment, or in the embedded default a file.
import { randomBytes } from 'node:crypto'
import { createAesGcmKeySealer, isSealed } from './aes-gcm-key-sealer.ts'
import { parseEncryptionKey } from './encryption-key.ts'
import { createKeyFile, readKeyFile } from './key-file.ts'
import { KeySealError, type KeySealer } from './key-sealer.ts'
import type { SigningKeyStore } from './signing-key-store.ts'

export type OpenKeySealerOptions = {
  /** `DEPUTY_KEY_ENCRYPTION_KEY`: 32 bytes in base64url. */
  readonly encryptionKey?: string | undefined
  /** `DEPUTY_PREVIOUS_KEY_ENCRYPTION_KEYS`: these open, and nothing more is sealed under them. */
  readonly previousEncryptionKeys?: readonly string[] | undefined
  /**
   * Used, and made at the first start, where there is no `encryptionKey`; `:memory:` for a key that ends with the
   * process, as the database does.
   */
  readonly keyFile?: string | undefined
  readonly store: SigningKeyStore
}

/** Opens the sealer. Rejects with `KeySealError`, whose message says what to do. */
export async function openKeySealer(options: OpenKeySealerOptions): Promise<KeySealer> {
  const { encryptionKey, keyFile, previousEncryptionKeys = [], store } = options
  const previousKeys = previousEncryptionKeys.map((text) =>
    parse(text, 'DEPUTY_PREVIOUS_KEY_ENCRYPTION_KEYS'),
  )
  if (encryptionKey !== undefined) {
    const source = 'DEPUTY_KEY_ENCRYPTION_KEY'
    return createAesGcmKeySealer({ key: parse(encryptionKey, source), previousKeys, source })
  }
  if (keyFile === undefined) {
    throw new KeySealError('DEPUTY_KEY_ENCRYPTION_KEY is required where servers share a database')
  }
  if (keyFile === ':memory:') {
    return createAesGcmKeySealer({ key: randomBytes(32), previousKeys, source: 'the memory' })
  }
  const key = await readOrCreateKeyFile(keyFile, store)
  return createAesGcmKeySealer({ key, previousKeys, source: keyFile })
}

async function readOrCreateKeyFile(file: string, store: SigningKeyStore): Promise<Uint8Array> {
  const found = await readKeyFile(file)
  if (found !== undefined) return found
  // A new key could not open them; who restored the database alone must learn what is missing.
  if (await holdsSealedKeys(store)) {
    throw new KeySealError(
      `${file} is missing, and the signing keys in the database are sealed under it: ` +
        'restore it, or set DEPUTY_KEY_ENCRYPTION_KEY if that is what sealed them',
    )
  }
  await createKeyFile(file)
  const made = await readKeyFile(file)
  if (made === undefined) throw new KeySealError(`${file} was taken away as it was made`)
  return made
}

async function holdsSealedKeys(store: SigningKeyStore): Promise<boolean> {
  const records = await store.list()
  return records.some((record) => record.state !== 'retired' && isSealed(record.sealedPrivateKey))
}

function parse(text: string, source: string): Uint8Array {
  const key = parseEncryptionKey(text)
  if (key === undefined) throw new KeySealError(`${source} must be 32 bytes in base64url`)
  return key
}
