// Registers the agents with the authorization server, through its admin API, as the operator. A second
// run changes nothing that is right already.
import type { AdminRouter } from '@deputy/auth-server'
import { formatScope, LIMIT_TYPES } from '@deputy/auth/protocol'
import { clientSecret, createAgentClient, toClientError, type AgentClient } from '@deputy/client'
import { BILLING_AGENT_ID } from '@deputy/contracts/billing'
import { RESEARCH_AGENT_ID } from '@deputy/contracts/research'
import { DemoError } from './demo-error.ts'
import type { StateFolder } from './state-folder.ts'

/** The audience of the admin API. */
export const AUTH_SERVER_ID = 'auth-server'
export const OPERATOR_ID = 'operator'
/** A guest whose tokens live one second: to be refused once they have expired. */
export const VISITOR_ID = 'agent-visitor-v1'

const ADMIN_SCOPES = [
  'agents:read',
  'agents:write',
  'credentials:read',
  'credentials:write',
  'keys:read',
  'keys:write',
  'grants:read',
  'grants:write',
  'tokens:revoke',
  'audit:read',
  'owners:read',
  'owners:write',
]

/** Who may do what. Each agent has its own identity and no more scopes than its work needs. */
const AGENTS = [
  {
    id: BILLING_AGENT_ID,
    name: 'Billing',
    description: 'Keeps the ledger: quotes, holds, captures, statements.',
    scopes: ['research:read'],
    audiences: [RESEARCH_AGENT_ID],
    // Asks for receipts in the name of whoever closes a statement.
    delegation: { to: [RESEARCH_AGENT_ID], maxDepth: 1 },
    authorizationDetailsTypes: [...LIMIT_TYPES],
    scopesSupported: [
      'billing:read',
      'billing:write',
      'billing:deposit',
      'billing:close',
      'billing:audit',
      'billing:release',
      'billing:refund',
      'billing:revert',
      'billing:quotas',
      'billing:prices',
      'billing:usage',
    ],
  },
  {
    id: RESEARCH_AGENT_ID,
    name: 'Research',
    description: 'Answers questions from documents, with citations.',
    scopes: ['billing:read', 'billing:write'],
    // A task begins with a token for itself, of which billing gets no more than it needs.
    audiences: [BILLING_AGENT_ID, RESEARCH_AGENT_ID],
    delegation: { to: [BILLING_AGENT_ID], maxDepth: 1 },
    authorizationDetailsTypes: [...LIMIT_TYPES],
    scopesSupported: ['research:read', 'research:write', 'conversations:read'],
  },
  {
    id: VISITOR_ID,
    name: 'Visitor',
    description: 'May read its own balance and nothing else; its tokens live one second.',
    scopes: ['billing:read'],
    audiences: [BILLING_AGENT_ID],
    scopesSupported: [],
    accessTokenTtlSeconds: 1,
  },
]

/** What the operator may do beside administering: set here, because the agents exist only now. */
const OPERATOR_SCOPES = [
  ...ADMIN_SCOPES,
  'billing:read',
  'billing:deposit',
  'billing:close',
  'billing:audit',
  'billing:release',
  'billing:refund',
  'billing:revert',
  'billing:quotas',
  'billing:prices',
  'billing:usage',
  'research:read',
  'research:write',
  'conversations:read',
]

/** Makes the agents and their credentials files as they should be. Rejects with `DemoError`. */
export async function enrollAgents(issuer: string, state: StateFolder): Promise<void> {
  const operator = state.readCredentials(OPERATOR_ID)
  if (operator === undefined) {
    throw new DemoError(
      `${state.credentialsFile(OPERATOR_ID)} is missing, and only it may enroll agents. Put it back, or move ${state.path} away to begin anew.`,
    )
  }
  await using admin = createAdminClient(issuer, state)
  for (const agent of AGENTS) {
    await ensureAgent(admin, agent)
    await ensureCredentials(admin, state, { issuer, ...agent })
  }
  await admin.agents.update.mutate({
    id: OPERATOR_ID,
    settings: {
      scopes: OPERATOR_SCOPES,
      audiences: [AUTH_SERVER_ID, BILLING_AGENT_ID, RESEARCH_AGENT_ID],
      delegation: { to: [BILLING_AGENT_ID], scopes: ['research:read'], maxDepth: 1 },
    },
  })
  state.writeCredentials(OPERATOR_ID, { ...operator, scope: formatScope(OPERATOR_SCOPES) })
}

/** An agent of another organisation, for what it must not see. */
export const RIVAL_ID = 'agent-rival-v1'
const RIVAL_OWNER_ID = 'rival'

/** Makes the other organisation and its agent, and answers the agent's credentials. */
export async function enrollRival(issuer: string, state: StateFolder) {
  await using admin = createAdminClient(issuer, state)
  const { owners } = await admin.owners.list.query()
  if (!owners.some(({ id }) => id === RIVAL_OWNER_ID)) {
    await admin.owners.create.mutate({ id: RIVAL_OWNER_ID, name: 'Another organisation' })
  }
  const rival = {
    id: RIVAL_ID,
    ownerId: RIVAL_OWNER_ID,
    name: 'Rival',
    description: 'Of another organisation: may read what is its own, at both agents.',
    scopes: ['billing:read', 'research:read'],
    audiences: [BILLING_AGENT_ID, RESEARCH_AGENT_ID],
    scopesSupported: [],
  }
  await ensureAgent(admin, rival)
  await ensureCredentials(admin, state, { issuer, ...rival })
  const credentials = state.readCredentials(RIVAL_ID)
  if (credentials === undefined) throw new DemoError(`${RIVAL_ID} has no credentials file`)
  return credentials
}

/** A client of the admin API with the operator's credentials. */
export function createAdminClient(issuer: string, state: StateFolder): AgentClient<AdminRouter> {
  const operator = state.readCredentials(OPERATOR_ID)
  if (operator === undefined) throw new DemoError('the operator has no credentials file')
  return createAgentClient<AdminRouter>({
    url: issuer,
    credentials: clientSecret({
      issuer,
      clientId: operator.client_id,
      clientSecret: operator.client_secret,
    }),
    audience: AUTH_SERVER_ID,
    scopes: ADMIN_SCOPES,
  })
}

async function ensureAgent(
  admin: AgentClient<AdminRouter>,
  agent: Parameters<AgentClient<AdminRouter>['agents']['create']['mutate']>[0],
): Promise<void> {
  try {
    await admin.agents.create.mutate(agent)
  } catch (error) {
    if (toClientError(error).code !== 'agent_exists') throw error
    const { id, ownerId: _ownerId, ...settings } = agent
    await admin.agents.update.mutate({ id, settings })
  }
}

async function ensureCredentials(
  admin: AgentClient<AdminRouter>,
  state: StateFolder,
  agent: { readonly issuer: string; readonly id: string; readonly scopes: readonly string[] },
): Promise<void> {
  const { issuer, id } = agent
  const existing = state.readCredentials(id)
  const { clientSecrets } = await admin.clientSecrets.list.query({ agentId: id })
  const isKnown = existing !== undefined && clientSecrets.some(({ active }) => active)
  const secret = isKnown
    ? existing.client_secret
    : (await admin.clientSecrets.create.mutate({ agentId: id })).clientSecret
  state.writeCredentials(id, {
    issuer,
    client_id: id,
    client_secret: secret,
    scope: formatScope(agent.scopes),
    token_endpoint: `${issuer}/oauth/token`,
  })
}
