import {
  clientSecret,
  createAgentClient,
  toClientError,
  type AgentClient,
} from '../../../packages/client/src/index.ts'
import type { Clock } from '@deputy/auth/protocol'
import { AUTH_SERVER_ID, type AdminRouter } from '../src/index.ts'
import type { Client, TestServer } from './auth-server.ts'

export type AdminClient = AgentClient<AdminRouter>

/** Connects to the admin API; the operator's own way unless another client is given. */
export function connectAdmin(
  server: Pick<TestServer, 'issuer' | 'operator'> & { readonly clock: Clock },
  client: Client = server.operator,
  scopes: readonly string[] = [],
): AdminClient {
  return createAgentClient<AdminRouter>({
    url: server.issuer,
    audience: AUTH_SERVER_ID,
    scopes,
    credentials: clientSecret({
      issuer: server.issuer,
      clientId: client.id,
      clientSecret: client.secret,
      clock: server.clock,
    }),
  })
}

/** How a call was refused, as a program sees it. */
export async function readRefusal(call: Promise<unknown>) {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error === undefined) throw new Error('the call was not refused')
  const { code, hint, message, status } = toClientError(error)
  return { code, hint, message, status }
}

type Settings = Omit<Parameters<AdminClient['agents']['create']['mutate']>[0], 'id' | 'name'>

/** Creates an agent with one secret. */
export async function enroll(
  admin: AdminClient,
  id: string,
  settings: Settings = {},
): Promise<Client> {
  await admin.agents.create.mutate({ id, name: id, ...settings })
  const { clientSecret: secret } = await admin.clientSecrets.create.mutate({ agentId: id })
  return { id, secret }
}

/** Alice may call Bob; Bob serves `notes:*`; Mallory is a stranger to both. */
export async function enrollCast(admin: AdminClient) {
  const bob = await enroll(admin, 'agent-bob', { scopesSupported: ['notes:read', 'notes:write'] })
  const alice = await enroll(admin, 'agent-alice', {
    scopes: ['notes:read', 'notes:write', 'other:read'],
    audiences: [bob.id],
  })
  const mallory = await enroll(admin, 'agent-mallory', { scopesSupported: ['notes:read'] })
  return { alice, bob, mallory }
}
