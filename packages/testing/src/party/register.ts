// Registers a party at the world's authorization server, as its operator would.
import type { AdminRouter } from '@deputy/auth-server'
import { listProcedures } from '@deputy/auth/trpc'
import type { AgentClient } from '@deputy/client'
import type { AnyTRPCRouter } from '@trpc/server'

export type AdminClient = AgentClient<AdminRouter>

/** What an operator decides about an agent: see `agents.create` of the admin API. */
export type PartySettings = Omit<
  Parameters<AdminClient['agents']['create']['mutate']>[0],
  'id' | 'name' | 'url'
> & { readonly name?: string | undefined }

export type Registered = { readonly secretId: string; readonly clientSecret: string }

/** Makes the agent and a secret for it. Rejects where the server refuses the settings. */
export async function register(
  admin: AdminClient,
  settings: PartySettings & { readonly id: string },
): Promise<Registered> {
  const { id, name = id } = settings
  await admin.agents.create.mutate({ ...settings, name })
  const secret = await admin.clientSecrets.create.mutate({ agentId: id })
  return { secretId: secret.clientSecretId, clientSecret: secret.clientSecret }
}

/** The scopes that a router's procedures need. */
export function readScopes(router: AnyTRPCRouter): string[] {
  return [...new Set(listProcedures(router).flatMap(({ scopes }) => scopes))]
}

/** The types of limits that a served router keeps: the guard's, and its procedures' own. */
export function readLimitTypes(router: AnyTRPCRouter): string[] {
  const own = listProcedures(router).flatMap(({ limits }) => limits)
  return [...new Set(['allowed_values', 'calls', 'approved_call', ...own])]
}
