import { SIGNATURE_ALGORITHMS, SIGNING_KEYS_CHANGE_ID } from '@deputy/auth/protocol'
import { agentRouter } from '@deputy/auth/trpc'
import * as z from 'zod'
import { describeRotation } from '../keys/rotation.ts'
import { noteChange } from '../revocation/note-change.ts'
import type { AdminDeps } from './admin-deps.ts'
import type { AdminProcedure } from './admin-procedure.ts'
import { rotationTooEarly } from './refusals.ts'

const Summary = z.object({
  kid: z.string(),
  algorithm: z.enum(SIGNATURE_ALGORITHMS),
  state: z.enum(['next', 'active', 'retired']),
  createdAt: z.int(),
  readyAt: z.int().optional().describe('next: may sign from then on'),
  activatedAt: z.int().optional(),
  dueAt: z.int().optional().describe('active: the schedule rotates it then'),
  retiredAt: z.int().optional(),
  goneAt: z.int().optional().describe('retired: leaves the JWKS then'),
})

/** `signingKeys.*`: the keys that tokens are signed with. For agents of the system only. */
export function createSigningKeysRouter({ clock, keyRing }: AdminDeps, procedure: AdminProcedure) {
  return agentRouter({
    list: procedure('signing-keys:read')
      .output(z.object({ signingKeys: z.array(Summary) }))
      .query(async () => ({ signingKeys: [...(await keyRing.list())] })),

    rotate: procedure('signing-keys:write')
      .input(
        z
          .object({
            immediately: z
              .boolean()
              .default(false)
              .describe(
                'for a key that was stolen: throws all keys away, and every token signed with them',
              ),
          })
          .prefault({}),
      )
      .output(z.object({ activeKid: z.string(), nextKid: z.string(), formerKid: z.string() }))
      .mutation(async ({ ctx: { administrator }, input: { immediately } }) => {
        const rotated = await keyRing.rotate({
          immediately,
          commit: async (change, made) =>
            administrator.act(async (stores, note) => {
              if (!(await change(stores.signingKeys))) return false
              const { details, outcome: _outcome, ...event } = describeRotation(made)
              note({ ...event, details: { ...details, immediately: String(immediately) } })
              await noteChange(stores, SIGNING_KEYS_CHANGE_ID, clock.now())
              return true
            }),
        })
        if (!rotated.ok) throw rotationTooEarly(rotated.refusal)
        return rotated.value
      }),
  })
}
