// The form of the secrets that Deputy hands out: a prefix that says which kind it is, 43 base62
// characters (256 random bits), 6 base62 characters of CRC-32 over all before them. The checksum lets
// a secret scanner tell a real one offline, and lets a typing mistake be named without asking anyone.
// It proves nothing about who made it.
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const RANDOM_CHARS = 43
const CHECKSUM_CHARS = 6

/** What each kind of secret begins with. */
export const SECRET_PREFIX = Object.freeze({
  apiKey: 'sk-agent-',
  clientSecret: 'cs-agent-',
  /** Lets its holder register a client (RFC 7591 §3). */
  initialAccessToken: 'ia-agent-',
  /** Lets a client manage its own registration (RFC 7592 §3). */
  registrationAccessToken: 'ra-agent-',
})
export type AgentSecretKind = keyof typeof SECRET_PREFIX

/** For secret scanners: matches any secret that Deputy hands out. Check a match with `isAgentSecret`. */
export const AGENT_SECRET_PATTERN = /\b(?:sk|cs|ia|ra)-agent-[0-9A-Za-z]{49}\b/

/** Fills an array with random bytes, as `crypto.getRandomValues` does. */
export type FillRandom = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>

/**
 * Makes a new secret. Shown once to whoever asked for it; only its hash is stored.
 *
 * @param fillRandom a cryptographically secure source; the platform's by default
 */
export function createAgentSecret(
  kind: AgentSecretKind,
  fillRandom: FillRandom = (bytes) => crypto.getRandomValues(bytes),
): string {
  const body = SECRET_PREFIX[kind] + randomBase62(RANDOM_CHARS, fillRandom)
  return body + checksum(body)
}

/** Whether the text has the form and the checksum of a secret of this kind. Needs no network. */
export function isAgentSecret(text: string, kind: AgentSecretKind): boolean {
  const prefix = SECRET_PREFIX[kind]
  if (text.length !== prefix.length + RANDOM_CHARS + CHECKSUM_CHARS) return false
  if (!text.startsWith(prefix) || !/^[0-9A-Za-z]+$/.test(text.slice(prefix.length))) return false
  const body = text.slice(0, -CHECKSUM_CHARS)
  return text.slice(-CHECKSUM_CHARS) === checksum(body)
}

function randomBase62(length: number, fillRandom: FillRandom): string {
  // Bytes of 248 and above are drawn again: taking them modulo 62 would favour some characters.
  const limit = 256 - (256 % ALPHABET.length)
  let text = ''
  while (text.length < length) {
    for (const byte of fillRandom(new Uint8Array(length))) {
      if (byte < limit && text.length < length) text += ALPHABET.charAt(byte % ALPHABET.length)
    }
  }
  return text
}

function checksum(text: string): string {
  let rest = crc32(new TextEncoder().encode(text))
  let digits = ''
  for (let place = 0; place < CHECKSUM_CHARS; place += 1) {
    digits = ALPHABET.charAt(rest % ALPHABET.length) + digits
    rest = Math.floor(rest / ALPHABET.length)
  }
  return digits
}

/** CRC-32 as in zlib (ISO 3309), unsigned. Written out because this floor runs outside Node too. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}
