// Finds the one credential in a request's headers or in a WebSocket's connectionParams, which use the
// same names. Form only: nothing is verified here. Credentials in the URL are never looked at
// (RFC 6750 §2.3 discourages them; they end up in logs).
import { accept, refuse, SECRET_PREFIX, type Result } from '../protocol/index.ts'
import type { CredentialRefusal } from '../refusal.ts'

/** A credential as it was sent. The text is secret: it goes to a verifier and nowhere else. */
export type Credential =
  | { readonly kind: 'access_token'; readonly token: string }
  | { readonly kind: 'api_key'; readonly key: string }

/** Looks a header up by its lower-case name. */
export type HeaderLookup = (name: 'authorization' | 'x-api-key') => string | undefined

/** Longest credential that is read, in characters. */
export const MAX_CREDENTIAL_CHARS = 8192

// > b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=" (RFC 6750 §2.1)
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i

/** Reads the credential, or says why there is none. */
export function readCredential(header: HeaderLookup): Result<Credential, CredentialRefusal> {
  const authorization = header('authorization')
  const apiKey = header('x-api-key')
  // > Clients MUST NOT use more than one method to transmit the token in each request. (RFC 6750 §2)
  if (authorization !== undefined && apiKey !== undefined) {
    return refuse({ reason: 'credentials_ambiguous' })
  }
  const sent = authorization ?? apiKey
  if (sent === undefined) return refuse({ reason: 'credentials_missing' })
  if (sent.length > MAX_CREDENTIAL_CHARS) {
    const detail = `longer than ${String(MAX_CREDENTIAL_CHARS)} characters`
    return refuse({ reason: 'credentials_malformed', detail })
  }
  if (apiKey !== undefined) return accept({ kind: 'api_key', key: apiKey })
  return readAuthorization(sent)
}

function readAuthorization(value: string): Result<Credential, CredentialRefusal> {
  const token = BEARER.exec(value)?.[1]
  if (token === undefined) {
    const detail = /^Bearer\b/i.test(value)
      ? 'what follows "Bearer" is not one token'
      : 'the Authorization scheme must be Bearer'
    return refuse({ reason: 'credentials_malformed', detail })
  }
  if (token.startsWith(SECRET_PREFIX.apiKey)) return accept({ kind: 'api_key', key: token })
  return accept({ kind: 'access_token', token })
}
