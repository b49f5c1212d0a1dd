// What is decided in the transaction that keeps a request, and not before it: several servers on one database.
import { describe, expect, test } from 'vitest'
import { START_AT } from '../../test-support/clock.ts'
import { makeAgent, STORAGE_ADAPTERS } from '../../test-support/storage-adapters.ts'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import type { Storage } from '../storage/open-storage.ts'
import { createRequireApproval, MAX_PENDING_PER_AGENT } from './require-approval.ts'

/** Alice asks for the approval of a call. Answers the code that she is refused with. */
function createAsking(storage: Storage) {
  const requireApproval = createRequireApproval({ storage, clock: createSettableClock() })
  return async (procedure: string): Promise<unknown> => {
    const request = {
      procedure,
      inputSha256: 'A'.repeat(43),
      input: undefined,
      bindingMessage: undefined,
      expirySeconds: 900,
      approvalId: undefined,
    }
    const call = {
      agentId: 'agent-alice',
      subjectId: 'agent-alice',
      actors: [],
      ownerId: 'system',
      audience: 'agent-bob',
      scopes: ['bob:pay'],
      grantPath: ['secret-1', 'task-1'],
      context: {},
    }
    return requireApproval(request, call).then(
      () => 'approved',
      (error: unknown) => (error instanceof Error && 'reason' in error ? error.reason : error),
    )
  }
}

describe.each(STORAGE_ADAPTERS)('approvals at two servers on $name', (adapter) => {
  test('are no more for an agent than at one, however many it asks for at the same moment', async () => {
    // Attack: each request is counted before the others are there, and one that matters is buried in them.
    await using place = await adapter.createPlace()
    await using here = await place.open()
    await using there = await place.open()
    await here.agents.insert(makeAgent())
    const asks = [createAsking(here), createAsking(there)]
    const procedures = Array.from({ length: MAX_PENDING_PER_AGENT + 20 }, (_, n) => `p${String(n)}`)

    const reasons = await Promise.all(procedures.map(async (name, n) => asks[n % 2]?.(name)))

    expect(reasons.filter((reason) => reason === 'too_many_pending')).toHaveLength(20)
    expect(await here.approvals.countPending('agent-alice', START_AT)).toBe(MAX_PENDING_PER_AGENT)
  })

  test('are not asked for under what is being revoked in this moment', async () => {
    // Attack: the request is kept a moment after its task was stopped, and ended by nobody. Once somebody approved it, it
    // is good without the task.
    await using place = await adapter.createPlace()
    await using here = await place.open()
    await using there = await place.open()
    await here.agents.insert(makeAgent())
    const asked = { ...here, revocations: { ...here.revocations, findDenial: revokeAfterLook } }
    const denial = { kind: 'grant', id: 'task-1', expiresAt: START_AT + 900 } as const
    async function revokeAfterLook(): Promise<undefined> {
      await there.act(async ({ revocations }) => revocations.insert(denial, START_AT))
    }

    const reason = await createAsking(asked)('pay')

    expect(reason).toBe('chain_revoked')
    const page = { within: EVERY_OWNER, now: START_AT, limit: 10 } as const
    expect(await here.approvals.list(page)).toEqual([])
  })
})
