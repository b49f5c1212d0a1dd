import { AGENT_SECRET_PATTERN } from '@deputy/auth/protocol'

/** A signed or encrypted token (RFC 7515, RFC 7516): its header begins with `{"`. */
const TOKEN = /\beyJ[\w-]{8,}(?:\.[\w-]*){2,4}/g
const SECRET = new RegExp(AGENT_SECRET_PATTERN, 'g')
const CREDENTIALS = /\b(Bearer|DPoP|Basic)\s+[\w~+/.=-]{16,}/gi

/** What stands where a secret was. */
export const REDACTED = '[redacted]'

/** Takes tokens, secrets of agents and `Authorization` values out of a text that others will read. */
export function redactSecrets(text: string): string {
  return text
    .replaceAll(TOKEN, REDACTED)
    .replaceAll(SECRET, REDACTED)
    .replaceAll(CREDENTIALS, `$1 ${REDACTED}`)
}
