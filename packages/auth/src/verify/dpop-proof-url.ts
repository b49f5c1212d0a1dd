// The comparison of `htu` with the request's URL (RFC 9449 §4.3):
//
// > The htu claim matches the HTTP URI value for the HTTP request in which the JWT was received,
// > ignoring any query and fragment parts.
// > […] servers SHOULD employ syntax-based normalization (Section 6.2.2 of [RFC3986]) and scheme-based
// > normalization (Section 6.2.3 of [RFC3986]) before comparing the htu claim.

/** What a URI is written with (RFC 3986 §2). The URL parser forgives more, which would be another URI. */
const URI = /^https?:\/\/[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+$/i

/**
 * Brings an http or https URI into the one form in which equal ones are the same text: lower-case scheme
 * and host, no default port, no dot segments, escapes in upper case and only where they are needed, no
 * query, no fragment. Answers `undefined` for anything else, and for one with a user name or password.
 */
export function normalizeHttpUri(text: string): string | undefined {
  if (!URI.test(text)) return undefined
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '') return undefined
  return url.origin + url.pathname.replace(/%([0-9A-Fa-f]{2})/g, normalizeEscape)
}

/** RFC 3986 §6.2.2.2: an escaped character that needs no escape is that character. */
function normalizeEscape(escape: string, hex: string): string {
  const character = String.fromCharCode(Number.parseInt(hex, 16))
  return /[A-Za-z0-9\-._~]/.test(character) ? character : escape.toUpperCase()
}
