export { ADMIN_SCOPES, AUTH_SERVER_ID, type AdminRouter } from './admin/admin-router.ts'
export { ADMIN_REASONS } from './admin/refusals.ts'
export { createAuthServer, type AuthServerOptions } from './app.ts'
export { OPERATOR_ID } from './bootstrap.ts'
