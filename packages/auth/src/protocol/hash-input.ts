import { toCanonicalJson } from './canonical-json.ts'

/**
 * Hashes what a procedure is called with, as it is sent: what somebody approves, and what
 * `approved_call.input_sha256` holds. SHA-256 of the canonical JSON (RFC 8785), base64url. A call without
 * input is hashed as no text at all, which no JSON value is.
 *
 * Rejects with `TypeError` for what is no JSON.
 */
export async function hashInput(input: unknown): Promise<string> {
  const text = input === undefined ? '' : toCanonicalJson(input)
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return btoa(String.fromCharCode(...new Uint8Array(digest)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
}
