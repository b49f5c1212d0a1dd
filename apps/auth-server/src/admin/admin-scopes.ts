/** The authorization server as an agent: the audience of tokens for its admin API. */
export const AUTH_SERVER_ID = 'auth-server'

/** What the admin API needs, and the operator has from the first start on. */
export const ADMIN_SCOPES = [
  'agents:read',
  'agents:write',
  'credentials:read',
  'credentials:write',
  'keys:read',
  'keys:write',
] as const
