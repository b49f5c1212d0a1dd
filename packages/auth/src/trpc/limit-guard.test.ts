// Calls with limited tokens, through a router as callers reach it.
import { fetchRequestHandler } from '@trpc/server/adapters/fetch'
import { describe, expect, test, vi } from 'vitest'
import { createAlice } from '../../../../test/support/alice.ts'
import * as z from 'zod'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import type { Principal } from '../principal.ts'
import { accept, hashInput, refuse } from '../protocol/index.ts'
import type { LimitStores } from '../token-limit/limit-stores.ts'
import { createMemoryCallCounter } from '../token-limit/memory-call-counter.ts'
import { createLocalReplayMemory } from '../verify/replay-memory.ts'
import { agentRouter, createAgentContext, listProcedures, scopedProcedure } from './index.ts'

type Entry = Principal['limits'][number]

const handled = vi.fn<(input: unknown) => void>()
const Payment = z.object({ to: z.string(), currency: z.string().default('USD') })
const router = agentRouter({
  read: scopedProcedure('billing:read').query(() => 'read'),
  pay: scopedProcedure('billing:read')
    .input(Payment)
    .mutation(({ input }) => {
      handled(input)
      return 'paid'
    }),
  spend: scopedProcedure({ scopes: ['billing:read'], limits: ['budget', 'colour'] }).query(
    () => 'spent',
  ),
  wire: scopedProcedure({ scopes: ['billing:read'], limits: ['budget'], approval: true })
    .input(Payment)
    .mutation(() => 'wired'),
  closed: scopedProcedure('billing:close').query(() => 'closed'),
})

const INPUT = { to: 'bob' }
const budget: Entry = { type: 'budget', currency: 'USD', amount: '5.00', identifier: 'task-1' }
const calls: Entry = { type: 'calls', max: 2, identifier: 'task-1' }

async function approve(procedure: string, input: unknown, identifier = 'approval-1') {
  const input_sha256 = await hashInput(input)
  return { type: 'approved_call', procedure, input_sha256, identifier } satisfies Entry
}

function createStores(): LimitStores {
  const clock = createSettableClock()
  return {
    callCounter: createMemoryCallCounter({ clock }),
    approvals: createLocalReplayMemory({ clock }),
    clock,
  }
}

/** An agent that knows one caller, whose token has these limits. */
function createAgent(limits: Entry[], stores: LimitStores | undefined = createStores()) {
  handled.mockClear()
  const principal = createAlice({ grantPath: ['credential-1', 'task-1', 'token-1'], limits })
  const createContext = createAgentContext({
    authenticator: {
      authenticate: async () =>
        accept({ principal, recheck: async () => accept(principal), watch: () => () => undefined }),
    },
    limitStores: stores,
  })
  return async (path: string, input?: unknown) => {
    const isQuery = path === 'read' || path === 'spend' || path === 'closed'
    const body = typeof input === 'string' ? input : JSON.stringify(input)
    const response = await fetchRequestHandler({
      endpoint: '/trpc',
      router,
      req: new Request(`https://billing.example/trpc/${path}`, {
        method: isQuery ? 'GET' : 'POST',
        ...(isQuery ? {} : { headers: { 'content-type': 'application/json' }, body }),
      }),
      createContext: ({ req }) =>
        createContext({ req: { headers: Object.fromEntries(req.headers) } }),
    })
    const json = z
      .object({
        result: z.unknown().optional(),
        error: z
          .object({ message: z.string(), data: z.record(z.string(), z.unknown()) })
          .optional(),
      })
      .parse(await response.json())
    return { status: response.status, message: json.error?.message, ...json.error?.data }
  }
}

const reasonOf = (answer: { status: number; reason?: unknown }) => [answer.status, answer.reason]

describe('a token with a limit', () => {
  test('that neither the guard nor the procedure keeps is refused there, and the type is named', async () => {
    // Attack: a procedure that spends and knows nothing of budgets.
    const call = createAgent([budget])

    const answer = await call('pay', INPUT)

    expect(answer).toMatchObject({
      status: 403,
      reason: 'limit_not_supported',
      code: 'FORBIDDEN',
      limit: { type: 'budget' },
      message: expect.stringContaining('"budget"') as string,
    })
    expect(handled).not.toHaveBeenCalled()
  })

  test('is let through where the procedure says that it keeps it, also one that Deputy does not know', async () => {
    const call = createAgent([budget, { type: 'colour', is: 'blue' }])

    expect((await call('spend')).status).toBe(200)
    expect(reasonOf(await call('read'))).toEqual([403, 'limit_not_supported'])
  })

  test('that cannot be read is refused also where it is kept', async () => {
    const call = createAgent([{ ...budget, amount: 'lots' }])

    expect(await call('spend')).toMatchObject({
      status: 403,
      reason: 'limit_malformed',
      limit: { type: 'budget' },
    })
  })

  test('is not told of it before its scope was checked', async () => {
    const call = createAgent([budget])

    expect(reasonOf(await call('closed'))).toEqual([403, 'scope_missing'])
  })
})

describe('allowed_values', () => {
  const onlyBob: Entry = { type: 'allowed_values', procedure: 'pay', field: 'to', values: ['bob'] }

  test('let pass the values that are allowed, and refuse others with what is', async () => {
    const call = createAgent([onlyBob])

    expect((await call('pay', INPUT)).status).toBe(200)
    expect(await call('pay', { to: 'mallory' })).toMatchObject({
      status: 403,
      reason: 'limit_value_not_allowed',
      limit: { type: 'allowed_values', field: 'to', allowedValues: ['bob'] },
      hint: expect.stringContaining('["bob"]') as string,
    })
    expect(handled.mock.calls).toEqual([[{ to: 'bob', currency: 'USD' }]])
  })

  test('do not count a default that the caller did not send', async () => {
    // Attack: leaving out the field, so that a default takes the place of what is allowed.
    const call = createAgent([
      { type: 'allowed_values', field: 'currency', values: ['EUR', 'USD'] },
    ])

    expect(reasonOf(await call('pay', INPUT))).toEqual([403, 'limit_value_not_allowed'])
    expect((await call('pay', { ...INPUT, currency: 'USD' })).status).toBe(200)
  })

  test('without a procedure keep out of every procedure that has no such field', async () => {
    const call = createAgent([{ type: 'allowed_values', field: 'to', values: ['bob'] }])

    expect(reasonOf(await call('read'))).toEqual([403, 'limit_value_not_allowed'])
  })

  test('of one procedure leave the others alone', async () => {
    const call = createAgent([onlyBob])

    expect((await call('read')).status).toBe(200)
  })

  test('of a body that is no JSON answer as any other call does', async () => {
    const call = createAgent([onlyBob])

    expect((await call('pay', '{"to":')).status).toBe(400)
  })
})

describe('calls', () => {
  test('are counted under their grant, whichever token comes', async () => {
    const stores = createStores()
    const [one, two] = [createAgent([calls], stores), createAgent([calls], stores)]

    const answers = [await one('read'), await two('read'), await one('read')]

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 403])
    expect(answers[2]).toMatchObject({
      reason: 'calls_exhausted',
      limit: { type: 'calls', identifier: 'task-1', max: 2 },
    })
  })

  test('are not used up by a call that another limit stands in the way of', async () => {
    const call = createAgent([
      { ...calls, max: 1 },
      { type: 'allowed_values', procedure: 'pay', field: 'to', values: ['bob'] },
    ])
    await call('pay', { to: 'mallory' })

    expect((await call('pay', INPUT)).status).toBe(200)
    expect(reasonOf(await call('pay', INPUT))).toEqual([403, 'calls_exhausted'])
  })

  test('are refused by an agent that cannot count them', async () => {
    expect(reasonOf(await createAgent([calls], {})('read'))).toEqual([403, 'limit_not_supported'])
  })

  test.each([
    ['call_counter_unavailable', 503, 'limit_unavailable'],
    // A bug is no outage.
    ['SQLITE_CORRUPT', 500, 'internal_error'],
  ])('that cannot be counted for %s are refused', async (code, status, reason) => {
    const error = Object.assign(new Error('connect ECONNREFUSED 10.0.0.5'), { code })
    const call = createAgent([calls], { callCounter: { take: async () => Promise.reject(error) } })

    const answer = await call('read')

    expect(reasonOf(answer)).toEqual([status, reason])
    expect(JSON.stringify(answer)).not.toContain('10.0.0.5')
  })
})

describe('a call that somebody approved', () => {
  test('is good once', async () => {
    const call = createAgent([await approve('pay', INPUT)])

    const answers = [await call('pay', INPUT), await call('pay', INPUT)]

    expect(answers.map(({ status }) => status)).toEqual([200, 403])
    expect(answers[1]).toMatchObject({
      reason: 'approval_used',
      limit: { type: 'approved_call', identifier: 'approval-1' },
    })
  })

  test('is good for one of many that are sent at once', async () => {
    // Attack: the same approved token, used in parallel before it is marked as used.
    const call = createAgent([await approve('pay', INPUT)])

    const answers = await Promise.all(Array.from({ length: 20 }, async () => call('pay', INPUT)))

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(handled).toHaveBeenCalledTimes(1)
  })

  test.each([
    ['another input', 'pay', { to: 'mallory' }],
    ['an input with one more member', 'pay', { to: 'bob', currency: 'EUR' }],
    ['another procedure', 'read', undefined],
  ])('is not good for %s, and is not used up by it', async (_what, path, input) => {
    // Attack: an approval for one call, used for another one.
    const call = createAgent([await approve('pay', INPUT)])

    const answer = await call(path, input)

    expect(answer).toMatchObject({
      status: 403,
      reason: 'approval_mismatch',
      approval: { procedure: path, inputSha256: await hashInput(input) },
    })
    expect((await call('pay', INPUT)).status).toBe(200)
  })

  test('is the same whatever the order of its members', async () => {
    const call = createAgent([await approve('pay', { to: 'bob', currency: 'EUR' })])

    expect((await call('pay', '{ "currency": "EUR",  "to": "bob" }')).status).toBe(200)
  })

  test('is good for nothing where two approvals name two calls', async () => {
    const call = createAgent([await approve('pay', INPUT), await approve('read', undefined, 'b')])

    expect(reasonOf(await call('pay', INPUT))).toEqual([403, 'approval_mismatch'])
    expect(reasonOf(await call('read'))).toEqual([403, 'approval_mismatch'])
  })

  test('does not use up its approval when its grant has no call left', async () => {
    const stores = createStores()
    const spent = { ...calls, max: 1 }
    await createAgent([spent], stores)('read')
    const approved = await approve('pay', INPUT)

    const refused = await createAgent([spent, approved], stores)('pay', INPUT)
    const passed = await createAgent([approved], stores)('pay', INPUT)

    expect(reasonOf(refused)).toEqual([403, 'calls_exhausted'])
    expect(passed.status).toBe(200)
  })

  test('is refused by an agent that cannot remember it', async () => {
    const call = createAgent([await approve('pay', INPUT)], {})

    expect(reasonOf(await call('pay', INPUT))).toEqual([403, 'limit_not_supported'])
  })

  test('is refused while nobody can say whether it was used', async () => {
    const full = createLocalReplayMemory({ clock: createSettableClock(), maxClaims: 0 })
    const call = createAgent([await approve('pay', INPUT)], {
      approvals: full,
      clock: createSettableClock(),
    })

    expect(reasonOf(await call('pay', INPUT))).toEqual([503, 'limit_unavailable'])
  })
})

describe('a procedure that needs approval', () => {
  test('refuses everybody else, and says what would have to be approved', async () => {
    const call = createAgent([])

    expect(await call('wire', INPUT)).toMatchObject({
      status: 403,
      reason: 'approval_required',
      approval: { procedure: 'wire', inputSha256: await hashInput(INPUT) },
    })
  })

  test('takes a token for this call, and no other', async () => {
    const call = createAgent([await approve('wire', INPUT)])

    expect(reasonOf(await call('wire', { to: 'mallory' }))).toEqual([403, 'approval_required'])
    expect((await call('wire', INPUT)).status).toBe(200)
  })

  test('tells who sends what no text can be that it cannot be approved', async () => {
    const call = createAgent([])

    expect((await call('wire', String.raw`{"to":"\ud800"}`)).status).toBe(400)
  })
})

describe('a procedure', () => {
  test('is listed with the limits that it keeps and whether it needs approval', () => {
    const type = 'mutation'
    const scopes = ['billing:read']

    expect(listProcedures(router).filter((one) => one.type === type)).toEqual([
      { path: 'pay', type, scopes, limits: [], approval: false },
      { path: 'wire', type, scopes, limits: ['budget'], approval: true },
    ])
  })

  test.each(['calls', 'allowed_values', 'approved_call'])(
    'cannot claim %s, which the guard keeps',
    (type) => {
      expect(() => scopedProcedure({ scopes: ['a:b'], limits: [type] })).toThrow(TypeError)
    },
  )

  test('cannot need a scope that nobody could be granted, however it is written', () => {
    expect(() => scopedProcedure({ scopes: ['a:"b"'] })).toThrow(TypeError)
  })
})

test('a caller that is not known is refused before any limit is looked at', async () => {
  const take = vi.fn<NonNullable<LimitStores['callCounter']>['take']>()
  const createContext = createAgentContext({
    authenticator: { authenticate: async () => refuse({ reason: 'credentials_missing' }) },
    limitStores: { callCounter: { take } },
  })
  const caller = router.createCaller(createContext({ req: { headers: {} } }))

  await expect(caller.read()).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  expect(take).not.toHaveBeenCalled()
})
