// Owners are the tenants: organisations whose agents, credentials and audit entries nobody else sees.
import { AgentId } from '@deputy/auth/protocol'
import * as z from 'zod'

/** Written like an agent's id: `acme`, `acme-research`. */
export const OwnerId = AgentId
export type OwnerId = z.infer<typeof OwnerId>

/** Whoever runs the authorization server: owner of `auth-server` and `operator`. */
export const SYSTEM_OWNER_ID = 'system'

/** An organisation that agents belong to. */
export const Owner = z.object({
  id: OwnerId,
  name: z.string().trim().min(1).max(200),
  createdAt: z.int(),
  /** Left out while it is active. */
  deactivatedAt: z.int().optional(),
})
export type Owner = z.infer<typeof Owner>
