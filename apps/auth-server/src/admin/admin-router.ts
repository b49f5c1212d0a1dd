import { agentRouter } from '@deputy/auth/trpc'
import type { AdminDeps } from './admin-deps.ts'
import { createAgentsRouter } from './agents-router.ts'
import { createApiKeysRouter } from './api-keys-router.ts'
import { createClientSecretsRouter } from './client-secrets-router.ts'

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
