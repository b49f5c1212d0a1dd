import { AgentId } from '@deputy/auth/protocol'
import { agentRouter, requireScope } from '@deputy/auth/trpc'
import type { Principal } from '@deputy/auth'
import * as z from 'zod'
import type { AgentAt } from '../agents/agent-store.ts'
import type { CredentialAt } from '../credentials/credential.ts'
import type { Client } from '../agents/agent.ts'
import { createClientSecret } from '../clients/create-client-secret.ts'
import { denyCredential } from '../revocation/deny.ts'
import { findActiveAgent, type AdminDeps } from './admin-deps.ts'
import type { AdminProcedure } from './admin-procedure.ts'
import { isAdministrative } from './admin-scopes.ts'
import {
  ClientSecretSummary,
  NewCredential,
  OverlapSeconds,
  toClientSecretSummary,
} from './credential.ts'
import { credentialEnded, credentialUnknown, expiryInThePast } from './refusals.ts'
import { chooseExpiry, createSupersession } from './rotation.ts'

const ById = z.object({ clientSecretId: z.string().max(64) })

const Created = ClientSecretSummary.extend({
  clientId: AgentId,
  clientSecret: z.string().describe('shown now and never again'),
})

/** `clientSecrets.*`: an agent's secrets for the token endpoint. */
export function createClientSecretsRouter(
  { clock, credentialUses, storage }: AdminDeps,
  procedure: AdminProcedure,
) {
  return agentRouter({
    create: procedure('credentials:write')
      .input(NewCredential)
      .output(Created)
      .mutation(async ({ ctx: { administrator, principal }, input }) => {
        const now = clock.now()
        if (input.expiresAt !== undefined && input.expiresAt <= now) throw expiryInThePast()
        const { record, secret } = createClientSecret({ ...input, now })
        return administrator.act(async (stores, note) => {
          const at: AgentAt = { id: input.agentId, within: administrator.within }
          const agent = await findActiveAgent(stores.agents, at)
          requirePowerOver(principal, agent)
          await stores.clientSecrets.insert(record)
          note({ event: 'client_secret.created', ...describe(agent, record.id) })
          return show(record, now, secret)
        })
      }),

    rotate: procedure('credentials:write')
      .input(
        ById.extend({ overlapSeconds: OverlapSeconds, expiresAt: NewCredential.shape.expiresAt }),
      )
      .output(Created)
      .mutation(async ({ ctx: { administrator, principal }, input }) => {
        const now = clock.now()
        const { clientSecretId: id, overlapSeconds } = input
        const { within } = administrator
        return administrator.act(async (stores, note) => {
          const old = await stores.clientSecrets.find({ id, within })
          if (old === undefined) throw credentialUnknown(id)
          const agent = await findActiveAgent(stores.agents, { id: old.agentId, within })
          requirePowerOver(principal, agent)
          const { agentId, label } = old
          const expiresAt = chooseExpiry(old, input.expiresAt, now)
          const { record, secret } = createClientSecret({ agentId, label, now, expiresAt })
          const by = createSupersession({ old, successorId: record.id, overlapSeconds, now })
          await stores.clientSecrets.insert(record)
          if (!(await stores.clientSecrets.supersede(id, by))) throw credentialEnded(id)
          const details = { successor: record.id, overlapSeconds: String(overlapSeconds) }
          note({ event: 'client_secret.rotated', ...describe(agent, id), details })
          return show(record, now, secret)
        })
      }),

    list: procedure('credentials:read')
      .input(z.object({ agentId: AgentId }))
      .output(z.object({ clientSecrets: z.array(ClientSecretSummary) }))
      .query(async ({ ctx: { administrator }, input }) => {
        await credentialUses.flush()
        const records = await storage.clientSecrets.listByAgent(input.agentId, administrator.within)
        const now = clock.now()
        return { clientSecrets: records.map((one) => toClientSecretSummary(one, now, records)) }
      }),

    deactivate: procedure('credentials:write')
      .input(ById)
      .output(ClientSecretSummary)
      .mutation(async ({ ctx: { administrator }, input: { clientSecretId: id } }) => {
        const now = clock.now()
        const at: CredentialAt = { id, within: administrator.within }
        return administrator.act(async (stores, note) => {
          const before = await stores.clientSecrets.find(at)
          const record = await stores.clientSecrets.deactivate(at, now)
          const agent = record && (await stores.clients.find(record.agentId))
          if (record === undefined || agent === undefined) throw credentialUnknown(id)
          if (before?.deactivatedAt === undefined) {
            await denyCredential(stores, id, now)
            note({ event: 'client_secret.deactivated', ...describe(agent, id) })
          }
          return toClientSecretSummary(record, now)
        })
      }),
  })

  function show(
    record: Parameters<typeof toClientSecretSummary>[0],
    now: number,
    clientSecret: string,
  ): z.infer<typeof Created> {
    return { ...toClientSecretSummary(record, now), clientId: record.agentId, clientSecret }
  }
}

/** Attack prevented: a secret for the operator is the operator's power, so it takes as much. */
function requirePowerOver(principal: Principal, agent: Client): void {
  if (isAdministrative(agent.scopes)) requireScope(principal, 'agents:write')
}

function describe(agent: Client, id: string) {
  return {
    ownerId: agent.ownerId,
    subjectId: agent.id,
    target: { kind: 'client_secret', id },
  } as const
}
