/** The authorization server as an agent: the audience of tokens for its admin API. */
export const AUTH_SERVER_ID = 'auth-server'

/** The operator's agent id. */
export const OPERATOR_ID = 'operator'

/** What the administration of one owner's agents needs. Agents of any owner may have these. */
export const OWNER_SCOPES = [
  'agents:read',
  'agents:write',
  'credentials:read',
  'credentials:write',
  'keys:read',
  'keys:write',
  'grants:read',
  'grants:write',
  'grants:delegate',
  'approvals:read',
  'approvals:decide',
  'tokens:revoke',
  'audit:read',
] as const

/** What concerns the server as a whole. Only agents of the system may have these. */
export const SYSTEM_SCOPES = [
  'owners:read',
  'owners:write',
  'signing-keys:read',
  'signing-keys:write',
  'audit:write',
] as const

/** What the admin API needs, and the operator has from the first start on. */
export const ADMIN_SCOPES = [...OWNER_SCOPES, ...SYSTEM_SCOPES] as const

/** Whether one of these scopes gives power over identities and credentials. */
export function isAdministrative(scopes: readonly string[]): boolean {
  return ADMIN_SCOPES.some((scope) => scopes.includes(scope))
}
