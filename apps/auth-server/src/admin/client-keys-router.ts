import { AgentId, PublicJwk, type PublicJwkRefusal } from '@deputy/auth/protocol'
import { agentRouter, requireScope } from '@deputy/auth/trpc'
import * as z from 'zod'
import type { Client } from '../agents/agent.ts'
import type { ClientKeyRecord } from '../clients/client-key-store.ts'
import { createClientKey } from '../clients/create-client-key.ts'
import type { CredentialAt, CredentialRecord } from '../credentials/credential.ts'
import { denyCredential } from '../revocation/deny.ts'
import { findActiveAgent, type AdminDeps } from './admin-deps.ts'
import type { AdminProcedure } from './admin-procedure.ts'
import { isAdministrative } from './admin-scopes.ts'
import { CredentialSummary, NewCredential, OverlapSeconds, toSummary } from './credential.ts'
import { credentialEnded, credentialUnknown, expiryInThePast, keyUnusable } from './refusals.ts'
import { chooseExpiry, createSupersession } from './rotation.ts'

const ById = z.object({ clientKeyId: z.string().max(64) })
const Jwk = z.record(z.string().max(64), z.unknown()).describe('a public JWK (RFC 7517)')

const Summary = CredentialSummary.extend({
  clientKeyId: z.string(),
  kid: z.string(),
  publicJwk: PublicJwk,
})

/** `clientKeys.*`: an agent's public keys, for `private_key_jwt` (RFC 7523). */
export function createClientKeysRouter(
  { clock, credentialUses, storage }: AdminDeps,
  procedure: AdminProcedure,
) {
  return agentRouter({
    create: procedure('credentials:write')
      .input(NewCredential.extend({ jwk: Jwk }))
      .output(Summary)
      .mutation(async ({ ctx: { administrator, principal }, input }) => {
        const now = clock.now()
        if (input.expiresAt !== undefined && input.expiresAt <= now) throw expiryInThePast()
        const key = createClientKey({ ...input, now })
        if (!key.ok) throw toRefusal(key.refusal)
        return administrator.act(async (stores, note) => {
          const at = { id: input.agentId, within: administrator.within } as const
          const agent = await findActiveAgent(stores.agents, at)
          if (isAdministrative(agent.scopes)) requireScope(principal, 'agents:write')
          await stores.clientKeys.insert(key.value)
          note({ event: 'client_key.created', ...describe(agent, key.value.id) })
          return show(key.value, now)
        })
      }),

    rotate: procedure('credentials:write')
      .input(
        ById.extend({
          jwk: Jwk,
          overlapSeconds: OverlapSeconds,
          expiresAt: NewCredential.shape.expiresAt,
        }),
      )
      .output(Summary)
      .mutation(async ({ ctx: { administrator, principal }, input }) => {
        const now = clock.now()
        const { clientKeyId: id, jwk, overlapSeconds } = input
        const { within } = administrator
        return administrator.act(async (stores, note) => {
          const old = await stores.clientKeys.find({ id, within })
          if (old === undefined) throw credentialUnknown(id)
          const agent = await findActiveAgent(stores.agents, { id: old.agentId, within })
          if (isAdministrative(agent.scopes)) requireScope(principal, 'agents:write')
          const expiresAt = chooseExpiry(old, input.expiresAt, now)
          const key = createClientKey({ agentId: agent.id, label: old.label, jwk, now, expiresAt })
          if (!key.ok) throw toRefusal(key.refusal)
          const successorId = key.value.id
          const by = createSupersession({ old, successorId, overlapSeconds, now })
          await stores.clientKeys.insert(key.value)
          if (!(await stores.clientKeys.supersede(id, by))) throw credentialEnded(id)
          const details = { successor: successorId, overlapSeconds: String(overlapSeconds) }
          note({ event: 'client_key.rotated', ...describe(agent, id), details })
          return show(key.value, now)
        })
      }),

    list: procedure('credentials:read')
      .input(z.object({ agentId: AgentId }))
      .output(z.object({ clientKeys: z.array(Summary) }))
      .query(async ({ ctx: { administrator }, input }) => {
        await credentialUses.flush()
        const records = await storage.clientKeys.listByAgent(input.agentId, administrator.within)
        const now = clock.now()
        return { clientKeys: records.map((record) => show(record, now, records)) }
      }),

    deactivate: procedure('credentials:write')
      .input(ById)
      .output(Summary)
      .mutation(async ({ ctx: { administrator }, input: { clientKeyId: id } }) => {
        const now = clock.now()
        const at: CredentialAt = { id, within: administrator.within }
        return administrator.act(async (stores, note) => {
          const before = await stores.clientKeys.find(at)
          const record = await stores.clientKeys.deactivate(at, now)
          const agent = record && (await stores.clients.find(record.agentId))
          if (record === undefined || agent === undefined) throw credentialUnknown(id)
          if (before?.deactivatedAt === undefined) {
            await denyCredential(stores, id, now)
            note({ event: 'client_key.deactivated', ...describe(agent, id) })
          }
          return show(record, now)
        })
      }),
  })
}

function show(
  record: ClientKeyRecord,
  now: number,
  others: readonly CredentialRecord[] = [],
): z.infer<typeof Summary> {
  const { id, kid, publicJwk } = record
  return { clientKeyId: id, kid, publicJwk, ...toSummary(record, now, others) }
}

function toRefusal(refusal: PublicJwkRefusal) {
  return keyUnusable(refusal.detail)
}

function describe(agent: Client, id: string) {
  return {
    ownerId: agent.ownerId,
    subjectId: agent.id,
    target: { kind: 'client_key', id },
  } as const
}
