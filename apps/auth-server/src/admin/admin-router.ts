import { agentRouter } from '@deputy/auth/trpc'
import type { AdminDeps } from './admin-deps.ts'
import { createAdminProcedure } from './admin-procedure.ts'
import { createAgentsRouter } from './agents-router.ts'
import { createApiKeysRouter } from './api-keys-router.ts'
import { createApprovalsRouter } from './approvals-router.ts'
import { createAuditRouter } from './audit-router.ts'
import { createClientKeysRouter } from './client-keys-router.ts'
import { createClientSecretsRouter } from './client-secrets-router.ts'
import { createExplainProcedure } from './explain.ts'
import { createOwnersRouter } from './owners-router.ts'
import { createRegistrationRouter } from './registration-router.ts'
import { createRevocationsRouter } from './revocations-router.ts'
import { createSigningKeysRouter } from './signing-keys-router.ts'
import { createTaskGrantsRouter } from './task-grants-router.ts'
import { createTokensRouter } from './tokens-router.ts'

/** Creates the admin API: a tRPC router under the same guard as any agent's. */
export function createAdminRouter(deps: AdminDeps) {
  const procedure = createAdminProcedure(deps)
  return agentRouter({
    owners: createOwnersRouter(deps, procedure),
    agents: createAgentsRouter(deps, procedure),
    clientSecrets: createClientSecretsRouter(deps, procedure),
    clientKeys: createClientKeysRouter(deps, procedure),
    apiKeys: createApiKeysRouter(deps, procedure),
    registrationTokens: createRegistrationRouter(deps, procedure),
    audit: createAuditRouter(deps, procedure),
    signingKeys: createSigningKeysRouter(deps, procedure),
    taskGrants: createTaskGrantsRouter(deps, procedure),
    approvals: createApprovalsRouter(deps, procedure),
    tokens: createTokensRouter(deps, procedure),
    explain: createExplainProcedure(deps, procedure),
    revocations: createRevocationsRouter(deps, procedure),
  })
}

/** What callers import, as a type. */
export type AdminRouter = ReturnType<typeof createAdminRouter>
