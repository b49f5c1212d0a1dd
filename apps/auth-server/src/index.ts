export type { AdminRouter } from './admin/admin-router.ts'
export { ADMIN_SCOPES, AUTH_SERVER_ID, OPERATOR_ID } from './admin/admin-scopes.ts'
export { ADMIN_REASONS } from './admin/refusals.ts'
export { createAuthServer, type AuthServerOptions } from './app.ts'
