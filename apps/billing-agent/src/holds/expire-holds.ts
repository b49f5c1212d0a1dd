// Holds whose time is over give back what they hold, by themselves. Any number of instances may do this at
// once: one writer at a time holds the ledger, and the next finds them ended.
import type { Clock } from '@deputy/auth/protocol'
import { BILLING_AGENT_ID } from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import { SYSTEM_OWNER_ID } from '../owners/owner.ts'
import type { BillingStorage } from '../storage/open-storage.ts'
import { giveBack } from './end-hold.ts'

/** Holds that one transaction ends: few enough that calls do not wait for it. */
export const EXPIRY_BATCH_SIZE = 200

/** Billing itself, which nobody called. */
const OWN_CALL: Call = {
  principal: {
    agentId: BILLING_AGENT_ID,
    subject: BILLING_AGENT_ID,
    ownerId: SYSTEM_OWNER_ID,
    audience: BILLING_AGENT_ID,
    scopes: [],
    priorActors: [],
    expiresAt: undefined,
    grantPath: [],
    limits: [],
    credential: { kind: 'api_key', id: 'billing.expire' },
  },
  signal: undefined,
}

/** Gives back every hold that has expired. Answers how many. */
export async function expireHolds(storage: BillingStorage, clock: Clock): Promise<number> {
  for (let total = 0; ;) {
    const ended = await storage.transaction(async (transaction) => {
      const now = clock.now()
      const holds = await transaction.holds.listExpired(now, EXPIRY_BATCH_SIZE)
      const release = { call: OWN_CALL, procedure: 'billing.expire', createdAt: now }
      for (const hold of holds) await giveBack(transaction, hold, { ...release, isExpired: true })
      return holds.length
    })
    total += ended
    if (ended < EXPIRY_BATCH_SIZE) return total
  }
}
