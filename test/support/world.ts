// The whole system in one process: the authorization server and both agents on loopback ports, one
// clock for all, a throw-away folder, and everything that they log.
import { createAuthServer, type AdminRouter } from '@deputy/auth-server'
import { CredentialsFile, LIMIT_TYPES, TokenResponse } from '@deputy/auth/protocol'
import { createBillingAgent } from '@deputy/billing-agent'
import { clientSecret, createAgentClient, type AgentClient, type Credentials } from '@deputy/client'
import { readCredentialsFile } from '@deputy/client/node'
import { createResearchAgent } from '@deputy/research-agent'
import { createLogger } from '@deputy/serve'
import { DOCUMENTS, writeFiles } from './documents.ts'
import { findFreePort } from './find-free-port.ts'
import { createSettableClock, type SettableClock } from './settable-clock.ts'
import { createTemporaryFolder } from './temporary-folder.ts'

export const BILLING = 'agent-billing-v2'
export const RESEARCH = 'agent-research-v1'
/** May do everything that a caller of the agents can do. */
export const ALICE = 'agent-alice-v1'
/** May read its balance, and nothing else. */
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

const AGENTS = [
  {
    id: BILLING,
    scopes: ['research:read'],
    audiences: [RESEARCH],
    scopesSupported: BILLING_SCOPES,
    authorizationDetailsTypes: [...LIMIT_TYPES],
    delegation: { to: [RESEARCH], maxDepth: 1 },
  },
  {
    id: RESEARCH,
    scopes: ['billing:read', 'billing:write'],
    audiences: [BILLING, RESEARCH],
    scopesSupported: RESEARCH_SCOPES,
    authorizationDetailsTypes: [...LIMIT_TYPES],
    delegation: { to: [BILLING], scopes: ['billing:read', 'billing:write'], maxDepth: 1 },
  },
  {
    id: ALICE,
    scopes: [...BILLING_SCOPES, ...RESEARCH_SCOPES],
    audiences: [BILLING, RESEARCH],
    scopesSupported: [],
    delegation: { to: [BILLING, RESEARCH], maxDepth: 2 },
  },
  { id: BOB, scopes: ['billing:read'], audiences: [BILLING], scopesSupported: [] },
]

export type World = AsyncDisposable & {
  readonly issuer: string
  readonly billingUrl: string
  readonly researchUrl: string
  readonly clock: SettableClock
  readonly admin: AgentClient<AdminRouter>
  /** Everything that was logged, as text. */
  readonly log: () => string
  readonly folder: { readonly path: string; file(...names: string[]): string }
  credentialsFile(agentId: string): CredentialsFile
  credentials(agentId: string): Credentials
  /** Asks the token endpoint by hand. */
  token(agentId: string, parameters: Record<string, string>): Promise<string>
}

export type WorldOptions = {
  /** Folder for research; by default a small one with DOCUMENTS. */
  readonly documents?: string
}

/** Starts everything. Disposing of it stops everything and removes the folder. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  const clock = createSettableClock()
  const lines: string[] = []
  const logger = (name: string) =>
    createLogger({ name, level: 'trace', write: (line) => void lines.push(line) })
  const [authPort, billingPort, researchPort] = [
    await findFreePort(),
    await findFreePort(),
    await findFreePort(),
  ]
  const issuer = `http://127.0.0.1:${String(authPort)}`
  const billingUrl = `http://127.0.0.1:${String(billingPort)}`
  const researchUrl = `http://127.0.0.1:${String(researchPort)}`
  const documents = options.documents ?? folder.file('documents')
  if (options.documents === undefined) await writeFiles(documents, DOCUMENTS)

  stack.use(
    await createAuthServer({
      issuer,
      port: authPort,
      database: { file: folder.file('auth.sqlite') },
      operatorFile: folder.file('operator.json'),
      clock,
      logger: logger('auth-server'),
    }),
  )
  const files = new Map<string, CredentialsFile>()
  files.set('operator', readCredentialsFile(folder.file('operator.json')))
  const credentialsFile = (agentId: string): CredentialsFile =>
    CredentialsFile.parse(files.get(agentId))
  const credentials = (agentId: string): Credentials => {
    const { client_id: clientId, client_secret: secret } = credentialsFile(agentId)
    return clientSecret({ issuer, clientId, clientSecret: secret, clock })
  }
  const admin = stack.use(
    createAgentClient<AdminRouter>({
      url: issuer,
      credentials: credentials('operator'),
      audience: 'auth-server',
      scopes: [],
    }),
  )
  for (const agent of AGENTS) {
    await admin.agents.create.mutate({ name: agent.id, ...agent })
    const created = await admin.clientSecrets.create.mutate({ agentId: agent.id })
    files.set(agent.id, {
      issuer,
      client_id: agent.id,
      client_secret: created.clientSecret,
      scope: agent.scopes.join(' '),
    })
  }
  const common = { clock, clockToleranceSeconds: 0 }
  stack.use(
    await createBillingAgent({
      ...common,
      credentials: credentialsFile(BILLING),
      port: billingPort,
      database: { file: folder.file('billing.sqlite') },
      researchUrl,
      logger: logger(BILLING),
    }),
  )
  stack.use(
    await createResearchAgent({
      ...common,
      credentials: credentialsFile(RESEARCH),
      port: researchPort,
      databaseFile: folder.file('research.sqlite'),
      documents,
      billingUrl,
      logger: logger(RESEARCH),
    }),
  )

  async function token(agentId: string, parameters: Record<string, string>): Promise<string> {
    const { client_id: clientId, client_secret: secret } = credentialsFile(agentId)
    const response = await fetch(`${issuer}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: secret,
        ...parameters,
      }),
    })
    return TokenResponse.parse(await response.json()).access_token
  }

  const resources = stack.move()
  return {
    issuer,
    billingUrl,
    researchUrl,
    clock,
    admin,
    log: () => lines.join(''),
    folder,
    credentialsFile,
    credentials,
    token,
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}
