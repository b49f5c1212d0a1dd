// What every server is asked for, so that all of them do the same work.

/** The agent, or resource server, that the tokens are for. */
export const TARGET_ID = 'agent-notes'

/** The same as a URL, for servers that know their targets by URLs (RFC 8707). */
export const TARGET_URL = 'https://notes.example/'

/** What there is to be had of it. */
export const TARGET_SCOPES = ['notes:read', 'notes:write', 'notes:delete'] as const

/** What each client may have. */
export const CLIENT_SCOPES = ['notes:read', 'notes:write'] as const

/** What each request asks for. */
export const REQUESTED_SCOPE = 'notes:read'

/** What no client may have. */
export const FORBIDDEN_SCOPE = 'notes:delete'

/** Life of the tokens, in seconds. */
export const TOKEN_TTL_SECONDS = 900

/** The id of a client. All have the same length, so that requests have. */
export function toClientId(index: number): string {
  return `agent-${String(index).padStart(7, '0')}`
}
