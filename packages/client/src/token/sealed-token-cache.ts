// Seals what a cache keeps (AES-256-GCM), for one that others can read, like Redis. Attack prevented:
// whoever reads the cache, its backups or its traffic has the agent's tokens; whoever writes to it makes
// the agent use a token of theirs, or one of another purpose: the name is sealed along.
import type { TokenCache } from './token-cache.ts'

const NONCE_BYTES = 12
const KEY_BYTES = 32

/**
 * Wraps a cache. `secret` is 32 random bytes as base64url, the same for every process that shares it.
 * What does not open, because it was changed or sealed with another secret, is as good as none. Throws
 * `TypeError` for a secret that is not 32 bytes, without repeating it.
 */
export function createSealedTokenCache(cache: TokenCache, secret: string): TokenCache {
  const bytes = fromBase64url(secret)
  if (bytes?.length !== KEY_BYTES) {
    throw new TypeError('the secret of a sealed token cache is 32 random bytes, as base64url')
  }
  const key = crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt'])
  const additionalData = (name: string) => new TextEncoder().encode(name)

  return Object.freeze({
    async read(name: string) {
      const sealed = fromBase64url((await cache.read(name)) ?? '')
      if (sealed === undefined || sealed.length <= NONCE_BYTES) return undefined
      const algorithm = {
        name: 'AES-GCM',
        iv: sealed.subarray(0, NONCE_BYTES),
        additionalData: additionalData(name),
      }
      try {
        const opened = await crypto.subtle.decrypt(
          algorithm,
          await key,
          sealed.subarray(NONCE_BYTES),
        )
        return new TextDecoder().decode(opened)
      } catch {
        return undefined
      }
    },
    async write(name: string, value: string, ttlSeconds: number) {
      const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
      const algorithm = { name: 'AES-GCM', iv, additionalData: additionalData(name) }
      const text = new TextEncoder().encode(value)
      const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm, await key, text))
      await cache.write(name, toBase64url(new Uint8Array([...iv, ...sealed])), ttlSeconds)
    },
    claim: async (...claim: Parameters<TokenCache['claim']>) => cache.claim(...claim),
    release: async (...claim: Parameters<TokenCache['release']>) => cache.release(...claim),
  })
}

function toBase64url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes))
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

function fromBase64url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[\w-]*={0,2}$/.test(text)) return undefined
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, ''))
    return Uint8Array.from(binary, (char) => char.codePointAt(0) ?? 0)
  } catch {
    return undefined
  }
}
