// Finds the one credential in a request's headers or in a WebSocket's connectionParams, which use the
// same names. Form only: nothing is verified here. Credentials in the URL are never looked at
// (RFC 6750 §2.3 discourages them; they end up in logs).
import { accept, refuse, SECRET_PREFIX, type Result } from '../protocol/index.ts'
import type { CredentialRefusal } from '../refusal.ts'

/** A credential as it was sent. The text is secret: it goes to a verifier and nowhere else. */
export type Credential =
  | { readonly kind: 'access_token'; readonly token: string }
  /** Sent by the scheme DPoP, with what was sent as proofs (RFC 9449 §7.1). */
  | {
      readonly kind: 'bound_access_token'
      readonly token: string
      readonly proofs: readonly string[]
    }
  | { readonly kind: 'api_key'; readonly key: string }

/** Looks a header up by its lower-case name. */
export type HeaderLookup = (name: 'authorization' | 'dpop' | 'x-api-key') => string | undefined

/** Longest credential that is read, in characters. */
export const MAX_CREDENTIAL_CHARS = 8192

// > b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=" (RFC 6750 §2.1)
const TOKEN = /^(Bearer|DPoP) +([A-Za-z0-9._~+/-]+=*)$/i

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
  return readAuthorization(sent, header('dpop'))
}

function readAuthorization(
  value: string,
  proof: string | undefined,
): Result<Credential, CredentialRefusal> {
  const [, scheme, token] = TOKEN.exec(value) ?? []
  if (scheme === undefined || token === undefined) {
    const detail = /^(?:Bearer|DPoP)\b/i.test(value)
      ? 'what follows the scheme is not one token'
      : 'the Authorization scheme must be Bearer or DPoP'
    return refuse({ reason: 'credentials_malformed', detail })
  }
  const isApiKey = token.startsWith(SECRET_PREFIX.apiKey)
  if (scheme.toLowerCase() === 'bearer') {
    return accept(isApiKey ? { kind: 'api_key', key: token } : { kind: 'access_token', token })
  }
  if (isApiKey) {
    const detail = 'an API key is bound to no key: send it as Bearer'
    return refuse({ reason: 'credentials_malformed', detail })
  }
  return accept({ kind: 'bound_access_token', token, proofs: proof === undefined ? [] : [proof] })
}
