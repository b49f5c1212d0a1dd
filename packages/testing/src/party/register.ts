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

/** Limits that the guard keeps for every procedure. */
const GUARDED_LIMITS = ['allowed_values', 'calls', 'approved_call']

/** Makes the agent and a secret for it. Rejects where the server refuses the settings. */
export async function register(
  admin: AdminClient,
  settings: PartySettings & { readonly id: string; readonly url?: string | undefined },
): Promise<Registered> {
  const { id, name = id } = settings
  await admin.agents.create.mutate({ ...settings, name })
  const secret = await admin.clientSecrets.create.mutate({ agentId: id })
  return { secretId: secret.clientSecretId, clientSecret: secret.clientSecret }
}

/** What a served router needs of its registration: its scopes, and the limits that it or the guard keeps. */
export function readDemands(
  router: AnyTRPCRouter,
): Pick<PartySettings, 'scopesSupported' | 'authorizationDetailsTypes'> {
  const procedures = listProcedures(router)
  const limits = procedures.flatMap((procedure) => procedure.limits)
  return {
    scopesSupported: [...new Set(procedures.flatMap(({ scopes }) => scopes))],
    authorizationDetailsTypes: [...new Set([...GUARDED_LIMITS, ...limits])],
  }
}
