import { agentRouter } from '@deputy/auth/trpc'
import type { AdminDeps } from './admin-deps.ts'
import { createAgentsRouter } from './agents-router.ts'
import { createApiKeysRouter } from './api-keys-router.ts'
import { createClientSecretsRouter } from './client-secrets-router.ts'

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

/** Creates the admin API: a tRPC router under the same guard as any agent's. */
export function createAdminRouter(deps: AdminDeps) {
  return agentRouter({
    agents: createAgentsRouter(deps),
    clientSecrets: createClientSecretsRouter(deps),
    apiKeys: createApiKeysRouter(deps),
  })
}

/** What callers import, as a type. */
export type AdminRouter = ReturnType<typeof createAdminRouter>
