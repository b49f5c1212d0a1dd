import { AgentId } from '@deputy/auth/protocol'
import { agentRouter } from '@deputy/auth/trpc'
import * as z from 'zod'
import { ScopeToken } from '../agents/agent.ts'
import { OwnerId } from '../owners/owner.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import {
  createInitialAccessToken,
  type InitialAccessTokenRecord,
} from '../registration/initial-access-token.ts'
import { requireActiveOwner, type AdminDeps } from './admin-deps.ts'
import type { AdminProcedure } from './admin-procedure.ts'
import { isAdministrative } from './admin-scopes.ts'
import { credentialUnknown, expiryInThePast, ownerUnknown, scopeNotAllowed } from './refusals.ts'

const Summary = z.object({
  initialAccessTokenId: z.string(),
  ownerId: OwnerId,
  label: z.string(),
  scopes: z.array(ScopeToken),
  audiences: z.array(AgentId),
  maxRegistrations: z.int(),
  registrations: z.int(),
  createdAt: z.int(),
  expiresAt: z.int(),
  deactivatedAt: z.int().optional(),
})

/** `registrationTokens.*`: what lets agents register themselves, where the server is told to take them. */
export function createRegistrationRouter({ clock, storage }: AdminDeps, procedure: AdminProcedure) {
  return agentRouter({
    create: procedure('agents:write')
      .input(
        z.object({
          ownerId: OwnerId.optional(),
          label: z.string().trim().max(200).default(''),
          scopes: z.array(ScopeToken).max(100).default([]),
          audiences: z.array(AgentId).max(100).default([]),
          maxRegistrations: z.int().min(1).max(100_000).default(1),
          expiresAt: z.int(),
        }),
      )
      .output(Summary.extend({ initialAccessToken: z.string() }))
      .mutation(async ({ ctx: { administrator }, input }) => {
        const now = clock.now()
        if (input.expiresAt <= now) throw expiryInThePast()
        const { within } = administrator
        const ownerId = input.ownerId ?? administrator.agent.ownerId
        if (within !== EVERY_OWNER && within !== ownerId) throw ownerUnknown(ownerId)
        // Attack prevented: whoever finds the token makes itself an administrator.
        if (isAdministrative(input.scopes))
          throw scopeNotAllowed('a registered agent', input.scopes)
        const { record, token } = createInitialAccessToken({ ...input, ownerId, now })
        return administrator.act(async (stores, note) => {
          await requireActiveOwner(stores.owners, ownerId)
          await stores.initialAccessTokens.insert(record)
          note({ event: 'registration_token.created', ...describe(record) })
          return { ...toSummary(record), initialAccessToken: token }
        })
      }),

    list: procedure('agents:read')
      .output(z.object({ registrationTokens: z.array(Summary) }))
      .query(async ({ ctx: { administrator } }) => {
        const records = await storage.initialAccessTokens.list(administrator.within)
        return { registrationTokens: records.map(toSummary) }
      }),

    deactivate: procedure('agents:write')
      .input(z.object({ initialAccessTokenId: z.string().max(64) }))
      .output(Summary)
      .mutation(async ({ ctx: { administrator }, input: { initialAccessTokenId: id } }) =>
        administrator.act(async (stores, note) => {
          const at = { id, within: administrator.within } as const
          const ended = await stores.initialAccessTokens.deactivate(at, clock.now())
          if (ended === undefined) throw credentialUnknown(id)
          const { isNew, record } = ended
          if (isNew) note({ event: 'registration_token.deactivated', ...describe(record) })
          return toSummary(record)
        }),
      ),
  })
}

function toSummary(record: InitialAccessTokenRecord): z.infer<typeof Summary> {
  const { audiences, deactivatedAt, id, scopes, tokenHash: _, ...rest } = record
  return {
    ...rest,
    initialAccessTokenId: id,
    scopes: [...scopes],
    audiences: [...audiences],
    ...(deactivatedAt === undefined ? {} : { deactivatedAt }),
  }
}

function describe(record: InitialAccessTokenRecord) {
  return {
    ownerId: record.ownerId,
    target: { kind: 'registration_token', id: record.id },
  } as const
}
