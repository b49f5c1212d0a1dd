// The end of an owner: of all its agents, with all that they hold, and of what would make new ones.
import type { EpochSeconds } from '@deputy/auth/protocol'
import { denyAgent } from '../revocation/deny.ts'
import type { Stores } from '../storage/stores.ts'
import type { OwnerId } from './owner.ts'

/** Agents that are read at a time. */
const PAGE = 200

/** Ends what is the owner's, in the transaction of the stores. Answers the ids of the agents that it ended. */
export async function endOwner(
  stores: Pick<Stores, 'agents' | 'approvals' | 'grants' | 'initialAccessTokens' | 'revocations'>,
  ownerId: OwnerId,
  now: EpochSeconds,
): Promise<readonly string[]> {
  for (const { id } of await stores.initialAccessTokens.list(ownerId)) {
    await stores.initialAccessTokens.deactivate({ id, within: ownerId }, now)
  }
  const ended: string[] = []
  let afterId: string | undefined
  for (;;) {
    const page = await stores.agents.list({ within: ownerId, limit: PAGE, afterId })
    for (const { id, state } of page) {
      if (state !== 'active') continue
      await stores.agents.deactivate({ id, within: ownerId }, now)
      await denyAgent(stores, id, now)
      ended.push(id)
    }
    if (page.length < PAGE) return ended
    afterId = page.at(-1)?.id
  }
}
