/** `client_secret_basic`: both parts are form-encoded first (RFC 6749 §2.3.1). */
export function toBasicAuthorization(clientId: string, clientSecret: string): string {
  const encode = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1)
  return `Basic ${btoa(`${encode(clientId)}:${encode(clientSecret)}`)}`
}
