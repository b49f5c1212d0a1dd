const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/**
 * Reads the URL of a server that secrets or tokens are sent to, or keys are taken from: https, or http
 * on this machine. Throws `TypeError` for any other, naming it by `name`. Attack prevented: whoever
 * listens on the network reads a secret, or answers with keys of their own.
 */
export function parseSecureUrl(text: string, name: string): URL {
  const url = URL.parse(text)
  if (url === null) throw new TypeError(`${name} must be a URL, not ${JSON.stringify(text)}`)
  if (isSecureUrl(text)) return url
  throw new TypeError(`${name} must be https (http on this machine only), not ${text}`)
}

/** Whether it is the URL of such a server: https, or http on this machine. */
export function isSecureUrl(text: string): boolean {
  const url = URL.parse(text)
  if (url === null) return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname))
}
