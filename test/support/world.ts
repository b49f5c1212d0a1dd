// The whole system in one world: the authorization server and both sample agents as they are deployed, and
// two callers. Nothing has a port; the documents alone are on disk.
import { LIMIT_TYPES } from '@deputy/auth/protocol'
import { createBillingAgent } from '@deputy/billing-agent'
import type { BillingRouter } from '@deputy/contracts/billing'
import type { ResearchRouter } from '@deputy/contracts/research'
import { createResearchAgent } from '@deputy/research-agent'
import { createTestWorld, type Caller, type TestAgent, type TestWorld } from '@deputy/testing'
import { DOCUMENTS, writeFiles } from './documents.ts'
import { createTemporaryFolder } from './temporary-folder.ts'

export const BILLING = 'agent-billing-v2'
export const RESEARCH = 'agent-research-v1'
export const ALICE = 'agent-alice-v1'
export const BOB = 'agent-bob-v1'

const BILLING_SCOPES = [
  'billing:read',
  'billing:write',
  'billing:deposit',
  'billing:close',
  'billing:audit',
  'billing:release',
]
const RESEARCH_SCOPES = ['research:read', 'research:write', 'conversations:read']

export type World = TestWorld & {
  readonly billing: TestAgent<BillingRouter>
  readonly research: TestAgent<ResearchRouter>
  /** May do everything that a caller of the agents can do. */
  readonly alice: Caller
  /** May read its balance, and nothing else. */
  readonly bob: Caller
  /** Reaches the servers of the world. */
  readonly fetch: typeof fetch
}

export type WorldOptions = {
  /** Folder for research; by default a small one with DOCUMENTS. */
  readonly documents?: string
}

/** Starts everything. Disposing of it ends everything, and rejects when a token or a secret was logged. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  const documents = options.documents ?? folder.file('documents')
  if (options.documents === undefined) await writeFiles(documents, DOCUMENTS)
  const world = stack.use(await createTestWorld())
  const common = { port: 443, clockToleranceSeconds: 0 }

  const billing = await world.host<BillingRouter>(BILLING, {
    scopes: ['research:read'],
    audiences: [],
    scopesSupported: BILLING_SCOPES,
    authorizationDetailsTypes: [...LIMIT_TYPES],
    start: async ({ credentialsFile, url, ...place }) =>
      createBillingAgent({
        ...common,
        ...place,
        credentials: credentialsFile,
        publicUrl: url,
        database: { file: ':memory:' },
        researchUrl: world.urlOf(RESEARCH),
      }),
  })
  const research = await world.host<ResearchRouter>(RESEARCH, {
    scopes: ['billing:read', 'billing:write'],
    audiences: [BILLING, RESEARCH],
    scopesSupported: RESEARCH_SCOPES,
    authorizationDetailsTypes: [...LIMIT_TYPES],
    delegation: { to: [BILLING], scopes: ['billing:read', 'billing:write'], maxDepth: 1 },
    start: async ({ credentialsFile, url, ...place }) =>
      createResearchAgent({
        ...common,
        ...place,
        credentials: credentialsFile,
        publicUrl: url,
        databaseFile: ':memory:',
        documents,
        billingUrl: billing.url,
      }),
  })
  // Each of the two calls the other one: the first did not know the second yet.
  await world.admin.agents.update.mutate({
    id: BILLING,
    settings: { audiences: [RESEARCH], delegation: { to: [RESEARCH], maxDepth: 1 } },
  })
  const alice = await world.caller(ALICE, {
    scopes: [...BILLING_SCOPES, ...RESEARCH_SCOPES],
    audiences: [BILLING, RESEARCH],
    delegation: { to: [BILLING, RESEARCH], maxDepth: 2 },
  })
  const bob = await world.caller(BOB, { scopes: ['billing:read'], audiences: [BILLING] })

  const resources = stack.move()
  return {
    ...world,
    billing,
    research,
    alice,
    bob,
    fetch: alice.fetch,
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}
