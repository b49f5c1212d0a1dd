import { describe, expect, test } from 'vitest'
import { START_AT } from '../../test-support/clock.ts'
import { createStorage, makeAgent, STORAGE_ADAPTERS } from '../../test-support/storage-adapters.ts'
import { fingerprintCall, type Approval } from '../approvals/approval.ts'
import type { ApprovalAt, Decision } from '../approvals/approval-store.ts'
import { EVERY_OWNER, type Tenancy } from '../owners/tenancy.ts'

/** Alice wants to pay at Bob's, unless said otherwise. */
function makeApproval(id: string, changes: Partial<Approval> = {}): Approval {
  return {
    id,
    ownerId: 'system',
    agentId: 'agent-alice',
    subjectId: 'agent-alice',
    actors: [],
    audience: 'agent-bob',
    scopes: ['bob:pay', 'bob:ask'],
    procedure: 'pay',
    inputSha256: 'A'.repeat(43),
    input: undefined,
    bindingMessage: undefined,
    grantPath: ['secret-1'],
    state: 'pending',
    requestedAt: START_AT,
    expiresAt: START_AT + 900,
    decidedAt: undefined,
    decidedBy: undefined,
    note: undefined,
    tokenId: undefined,
    ...changes,
  }
}

const DECISION: Decision = {
  state: 'approved',
  decidedAt: START_AT + 10,
  decidedBy: 'operator',
  expiresAt: START_AT + 950,
  note: 'looks right',
}
const at = (id: string, within: Tenancy = EVERY_OWNER): ApprovalAt => ({ id, within })
const CALL = fingerprintCall(makeApproval('any'))

describe.each(STORAGE_ADAPTERS)('approvals in $name', (adapter) => {
  test('come back as they were put in, and as they were decided', async () => {
    await using storage = await createStorage(adapter)
    const { approvals } = storage
    const whole = makeApproval('approval-1', {
      actors: ['agent-bob', 'agent-carol'],
      input: { to: 'bob', amount: null, list: [1, 'two'] },
      bindingMessage: 'the rent of May',
    })

    expect(await approvals.request(whole)).toEqual({ approval: whole, isNew: true })
    expect(await approvals.find(at('approval-1'))).toEqual(whole)
    expect(await approvals.decide(at('approval-1'), DECISION)).toBe(true)
    expect(await approvals.find(at('approval-1'))).toEqual({ ...whole, ...DECISION })
  })

  test('are not there for another owner', async () => {
    await using storage = await createStorage(adapter)
    const { approvals } = storage
    await approvals.request(makeApproval('approval-1'))
    const page = { now: START_AT, limit: 10 }

    expect(await approvals.find(at('approval-1', 'somebody'))).toBeUndefined()
    expect(await approvals.list({ ...page, within: 'somebody' })).toEqual([])
    expect(await approvals.decide(at('approval-1', 'somebody'), DECISION)).toBe(false)
    expect(await approvals.find(at('approval-1', 'system'))).toMatchObject({ state: 'pending' })
    expect(await approvals.list({ ...page, within: 'system' })).toHaveLength(1)
  })

  test('of the same call are one, also of many that ask at the same moment', async () => {
    await using storage = await createStorage(adapter)
    const wanted = Array.from({ length: 20 }, (_, n) => makeApproval(`approval-${String(n)}`))

    const answers = await Promise.all(
      wanted.map(async (one) => storage.act(async (stores) => stores.approvals.request(one))),
    )

    expect(answers.filter(({ isNew }) => isNew)).toHaveLength(1)
    expect(new Set(answers.map(({ approval }) => approval.id)).size).toBe(1)
  })

  test('of another call are others, whatever the order of the scopes', async () => {
    await using storage = await createStorage(adapter)
    const { approvals } = storage
    const ask = async (changes: Partial<Approval>) =>
      (await approvals.request(makeApproval(`of ${JSON.stringify(changes)}`, changes))).isNew

    expect(await ask({})).toBe(true)
    expect(await ask({ scopes: ['bob:ask', 'bob:pay'] })).toBe(false)
    expect(await ask({ scopes: ['bob:ask'] })).toBe(true)
    expect(await ask({ inputSha256: 'B'.repeat(43) })).toBe(true)
    expect(await ask({ procedure: 'ask' })).toBe(true)
    expect(await ask({ audience: 'agent-carol' })).toBe(true)
    expect(await ask({ subjectId: 'agent-carol' })).toBe(true)
    expect(await ask({ actors: ['agent-alice'] })).toBe(true)
  })

  test('that ran out make way for a new one at the exact second', async () => {
    await using storage = await createStorage(adapter)
    const { approvals } = storage
    await approvals.request(makeApproval('approval-1'))
    const again = (requestedAt: number) =>
      makeApproval('approval-2', { requestedAt, expiresAt: requestedAt + 900 })

    expect((await approvals.request(again(START_AT + 899))).approval.id).toBe('approval-1')
    expect(await approvals.findOpen(CALL, START_AT + 899)).toMatchObject({ id: 'approval-1' })
    expect(await approvals.findOpen(CALL, START_AT + 900)).toBeUndefined()
    expect((await approvals.request(again(START_AT + 900))).approval.id).toBe('approval-2')
  })

  test('are decided once, by one of many, and never after their time', async () => {
    await using storage = await createStorage(adapter)
    const { approvals } = storage
    await approvals.request(makeApproval('approval-1'))
    await approvals.request(makeApproval('approval-2', { procedure: 'late' }))
    const denied = { ...DECISION, state: 'denied' as const, note: undefined }

    const decided = await Promise.all(
      [DECISION, denied, DECISION, denied].map(async (one) =>
        storage.act(async (stores) => stores.approvals.decide(at('approval-1'), one)),
      ),
    )

    expect(decided.filter(Boolean)).toHaveLength(1)
    const tooLate = { ...DECISION, decidedAt: START_AT + 900 }
    expect(await approvals.decide(at('approval-2'), tooLate)).toBe(false)
    expect(await approvals.decide(at('approval-3'), DECISION)).toBe(false)
  })

  test('are open until a token was issued: the next request is for another call of the same kind', async () => {
    await using storage = await createStorage(adapter)
    const { approvals } = storage
    await approvals.request(makeApproval('approval-1'))
    await approvals.decide(at('approval-1'), DECISION)
    expect(await approvals.findOpen(CALL, START_AT + 20)).toMatchObject({ state: 'approved' })

    const now = START_AT + 20
    expect(await approvals.markIssued('approval-1', { tokenId: 'token-1', now })).toBe(true)
    expect(await approvals.markIssued('approval-1', { tokenId: 'token-2', now })).toBe(true)

    expect(await approvals.findOpen(CALL, START_AT + 20)).toBeUndefined()
    expect(await approvals.find(at('approval-1'))).toMatchObject({ tokenId: 'token-1' })
    expect((await approvals.request(makeApproval('approval-2'))).isNew).toBe(true)
  })

  test('are good for a token once they are approved, and until their time is over', async () => {
    // Attack: what ended between the look at it and the token is used all the same.
    await using storage = await createStorage(adapter)
    const { approvals } = storage
    await approvals.request(makeApproval('approval-1'))
    await approvals.request(makeApproval('denied', { procedure: 'other' }))
    await approvals.decide(at('denied'), { ...DECISION, state: 'denied' })
    const mark = async (id: string, now: number) =>
      approvals.markIssued(id, { tokenId: 'token-1', now })

    expect(await mark('approval-1', START_AT)).toBe(false)
    expect(await mark('denied', START_AT + 10)).toBe(false)
    await approvals.decide(at('approval-1'), DECISION)
    expect(await mark('approval-1', DECISION.expiresAt)).toBe(false)
    expect((await approvals.find(at('approval-1')))?.tokenId).toBeUndefined()
    expect(await mark('approval-1', DECISION.expiresAt - 1)).toBe(true)
  })

  test('are listed and counted while they can be decided, by agent and page by page', async () => {
    await using storage = await createStorage(adapter)
    const { approvals } = storage
    for (const n of [1, 2, 3]) {
      await approvals.request(makeApproval(`approval-${String(n)}`, { procedure: String(n) }))
    }
    await approvals.request(makeApproval('approval-4', { agentId: 'agent-bob' }))
    await approvals.decide(at('approval-2'), DECISION)
    const page = { within: EVERY_OWNER, now: START_AT, limit: 10 } as const
    const list = async (filter: Partial<Parameters<typeof approvals.list>[0]>) =>
      (await approvals.list({ ...page, ...filter })).map(({ id }) => id)

    expect(await list({})).toHaveLength(4)
    expect(await list({ isPending: true })).toEqual(['approval-1', 'approval-3', 'approval-4'])
    expect(await list({ isPending: true, now: START_AT + 900 })).toEqual([])
    expect(await list({ agentId: 'agent-bob' })).toEqual(['approval-4'])
    expect(await list({ afterId: 'approval-1', limit: 2 })).toEqual(['approval-2', 'approval-3'])
    expect(await approvals.countPending('agent-alice', START_AT)).toBe(2)
    expect(await approvals.countPending('agent-alice', START_AT + 900)).toBe(0)
  })

  test('are forgotten once they are over', async () => {
    await using storage = await createStorage(adapter)
    const { approvals } = storage
    await approvals.request(makeApproval('approval-1'))

    expect(await approvals.prune(START_AT + 900)).toBe(0)
    expect(await approvals.prune(START_AT + 901)).toBe(1)
    expect(await approvals.find(at('approval-1'))).toBeUndefined()
  })

  test('end with what they stand on, and with nothing that only looks like it', async () => {
    await using storage = await createStorage(adapter)
    const { approvals } = storage
    const make = async (id: string, grantPath: string[]) =>
      approvals.request(makeApproval(id, { grantPath, inputSha256: id.padEnd(43, '_') }))
    await make('on-it', ['secret-1', 'task_1'])
    await make('decided', ['secret-1', 'task_1', 'token-1'])
    await make('beside-it', ['secret-1', 'taskX1'])
    await make('longer', ['secret-1', 'task_1-b'])
    await approvals.decide(at('decided'), DECISION)

    await approvals.endStandingOn('task_1', START_AT + 20)

    const ends = await Promise.all(
      ['on-it', 'decided', 'beside-it', 'longer'].map(
        async (id) => (await approvals.find(at(id)))?.expiresAt,
      ),
    )
    expect(ends).toEqual([START_AT + 20, START_AT + 20, START_AT + 900, START_AT + 900])
    expect(await approvals.countPending('agent-alice', START_AT + 20)).toBe(2)
  })
})

describe.each(STORAGE_ADAPTERS.filter(({ name }) => name === 'PostgreSQL'))(
  'two servers on $name',
  (adapter) => {
    test('count what the other one keeps at the same moment for the same agent', async () => {
      // Attack: each server counts before the other commits, and the bound is passed by as many as there are servers.
      await using place = await adapter.createPlace()
      await using here = await place.open()
      await using there = await place.open()
      await here.agents.insert(makeAgent())
      const [kept, asked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      const first = here.act(async ({ approvals }) => {
        await approvals.request(makeApproval('approval-1'))
        kept.resolve()
        await asked.promise
        // As long as the other one would take, did it not wait.
        for (let n = 0; n < 30; n += 1) await approvals.countPending('agent-alice', START_AT)
      })
      await kept.promise

      const second = there.act(async ({ approvals }) => {
        const request = approvals.request(makeApproval('approval-2', { procedure: 'other' }))
        asked.resolve()
        await request
        return approvals.countPending('agent-alice', START_AT)
      })

      await first
      expect(await second).toBe(2)
    })
  },
)
