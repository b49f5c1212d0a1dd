/** The authorization server as an agent: the audience of tokens for its admin API. */
export const AUTH_SERVER_ID = 'auth-server'

/** The operator's agent id. */
export const OPERATOR_ID = 'operator'

/** What the admin API needs, and the operator has from the first start on. */
export const ADMIN_SCOPES = [
  'agents:read',
  'agents:write',
  'credentials:read',
  'credentials:write',
  'keys:read',
  'keys:write',
] as const

/** Whether one of these scopes gives power over identities and credentials. */
export function isAdministrative(scopes: readonly string[]): boolean {
  return ADMIN_SCOPES.some((scope) => scopes.includes(scope))
}
