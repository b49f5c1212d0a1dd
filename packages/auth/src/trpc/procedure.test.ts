import { initTRPC, lazy, TRPCError, type AnyTRPCRouter } from '@trpc/server'
import { fetchRequestHandler } from '@trpc/server/adapters/fetch'
import { describe, expect, test, vi } from 'vitest'
import { createAlice } from '../../../../test/support/alice.ts'
import * as z from 'zod'
import type { Principal } from '../principal.ts'
import { accept, refuse } from '../protocol/index.ts'
import type { CredentialRefusal } from '../refusal.ts'
import type { Authenticator } from '../verify/authenticator.ts'
import {
  agentRouter,
  assertScopedRouter,
  CallRefusal,
  createAgentContext,
  listProcedures,
  requireScope,
  scopedProcedure,
  type CallEnd,
  type CallStart,
} from './index.ts'

const alice = createAlice()

/** Takes everybody for this principal, or refuses everybody for this reason. */
function createAuthenticator(who: Principal | CredentialRefusal) {
  const result = 'reason' in who ? refuse(who) : undefined
  const principal = 'reason' in who ? alice : who
  return {
    authenticate: vi.fn<Authenticator['authenticate']>(
      async () =>
        result ??
        accept({ principal, recheck: async () => accept(principal), watch: () => () => undefined }),
    ),
  }
}

const handled = vi.fn<(input: unknown) => void>()
const router = agentRouter({
  read: scopedProcedure('billing:read').query(({ ctx }) => ctx.principal.agentId),
  settle: scopedProcedure('billing:read', 'billing:write', 'billing:close')
    .input(z.object({ account: z.object({ id: z.string().min(3) }), amountMinor: z.number() }))
    .mutation(({ ctx, input }) => {
      handled(input)
      requireScope(ctx.principal, 'billing:audit')
      return 'settled'
    }),
  bug: scopedProcedure('billing:read').query((): string => {
    throw new Error('password hunter2 in /etc/ledger.conf')
  }),
  badOutput: scopedProcedure('billing:read')
    .output(z.object({ totalMinor: z.number() }))
    .query(() => ({ totalMinor: 'hunter2' as unknown as number })),
  closed: scopedProcedure('billing:read').query((): string => {
    throw new CallRefusal({
      code: 'CONFLICT',
      reason: 'account_closed',
      message: 'The account is closed',
      hint: 'Open another one.',
    })
  }),
})

const calls: { start: CallStart; end: CallEnd | undefined }[] = []

async function call(
  who: Principal | CredentialRefusal,
  path: string,
  { body, method = 'GET' }: { readonly body?: unknown; readonly method?: string } = {},
) {
  const authenticator = createAuthenticator(who)
  calls.length = 0
  handled.mockClear()
  const createContext = createAgentContext({
    authenticator,
    createCorrelationId: () => 'call-1',
    observeCall: (start) => {
      const entry: (typeof calls)[number] = { start, end: undefined }
      calls.push(entry)
      return (end) => {
        entry.end = end
      }
    },
  })
  const request = new Request(`https://billing.example/trpc/${path}`, {
    method,
    ...(method === 'GET'
      ? {}
      : {
          headers: { 'content-type': 'application/json' },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        }),
  })
  const response = await fetchRequestHandler({
    endpoint: '/trpc',
    router,
    req: request,
    createContext: ({ req }) =>
      createContext({ req: { headers: Object.fromEntries(req.headers) } }),
  })
  const text = await response.text()
  return { authenticator, status: response.status, text, json: JSON.parse(text) as unknown }
}

const settle = (body: unknown) => ({ method: 'POST', body })
const valid = { account: { id: 'acme' }, amountMinor: 1 }
const writer: Principal = { ...alice, scopes: ['billing:read', 'billing:write', 'billing:close'] }

describe('a call', () => {
  test('is answered for a principal that holds the scope', async () => {
    const { json, status } = await call(alice, 'read')

    expect([status, json]).toEqual([200, { result: { data: 'agent-alice-v1' } }])
  })

  test('without a credential is answered in the whole documented shape', async () => {
    const { json, status } = await call({ reason: 'credentials_missing' }, 'read')

    expect(status).toBe(401)
    expect(json).toEqual({
      error: {
        code: -32_001,
        message: 'No credentials were sent',
        data: {
          code: 'UNAUTHORIZED',
          httpStatus: 401,
          path: 'read',
          correlationId: 'call-1',
          reason: 'credentials_missing',
          hint: 'Send an access token as "Authorization: Bearer …" or an API key as "X-API-Key". Credentials in the URL are never read.',
          requiredScopes: [],
          grantedScopes: [],
          issues: [],
        },
      },
    })
  })

  test('without all the scopes names what is needed, held and missing', async () => {
    const { json, status } = await call(alice, 'settle', settle(valid))

    expect(status).toBe(403)
    expect(json).toMatchObject({
      error: {
        message: 'Missing required scope: billing:write billing:close',
        data: {
          code: 'FORBIDDEN',
          httpStatus: 403,
          reason: 'scope_missing',
          requiredScopes: ['billing:read', 'billing:write', 'billing:close'],
          grantedScopes: ['billing:read'],
          hint: expect.stringContaining('"billing:read billing:write billing:close"') as string,
        },
      },
    })
    expect(handled).not.toHaveBeenCalled()
  })

  test('without the scope that only its input makes necessary is refused in the same words', async () => {
    const { json, status } = await call(writer, 'settle', settle(valid))

    expect(status).toBe(403)
    expect(json).toMatchObject({
      error: {
        message: 'Missing required scope: billing:audit',
        data: { reason: 'scope_missing', requiredScopes: ['billing:audit'] },
      },
    })
  })

  test('that could not be verified is told to try again', async () => {
    const refusal = { reason: 'verifier_unavailable', detail: 'connect ECONNREFUSED' } as const
    const { json, status, text } = await call(refusal, 'read')

    expect(status).toBe(503)
    expect(json).toMatchObject({ error: { data: { code: 'SERVICE_UNAVAILABLE' } } })
    expect(text).not.toContain('ECONNREFUSED')
  })
})

describe('the order', () => {
  test.each([
    ['input that does not fit', settle({ amountMinor: 'x' })],
    ['a body that is not JSON', settle('{"account":')],
  ])('is credential before input: %s tells a stranger nothing', async (_what, request) => {
    // Attack: feeling out an agent's schemas without being anybody.
    const { json, text } = await call({ reason: 'credentials_missing' }, 'settle', request)

    expect(json).toMatchObject({ error: { data: { reason: 'credentials_missing', issues: [] } } })
    expect(text).not.toContain('amountMinor')
  })

  test('is scope before input', async () => {
    const { json } = await call(alice, 'settle', settle({}))

    expect(json).toMatchObject({ error: { data: { reason: 'scope_missing' } } })
  })
})

describe('input', () => {
  test('that does not fit is refused field by field', async () => {
    const { json, status } = await call(writer, 'settle', settle({ account: { id: 'x' } }))

    expect(status).toBe(400)
    expect(json).toMatchObject({
      error: {
        message: expect.stringMatching(/^Invalid input: input\.account\.id: /) as string,
        data: {
          reason: 'input_invalid',
          hint: 'Correct the fields named in issues and call again.',
          issues: [{ path: 'account.id' }, { path: 'amountMinor' }],
        },
      },
    })
    expect(handled).not.toHaveBeenCalled()
  })

  test.each([
    ['null', null],
    ['a list', []],
    ['text', 'acme'],
  ])('that is %s is refused as a whole', async (_what, body) => {
    const { json, status } = await call(writer, 'settle', settle(JSON.stringify(body)))

    expect(status).toBe(400)
    expect(json).toMatchObject({
      error: { message: expect.stringMatching(/^Invalid input: input: /) as string },
    })
  })

  test('cannot reach into prototypes', async () => {
    // Attack: prototype pollution by a member named __proto__.
    const body = '{"account":{"id":"acme","__proto__":{"admin":true}},"amountMinor":1}'

    await call(writer, 'settle', settle(body))

    expect(handled).toHaveBeenCalledWith({ account: { id: 'acme' }, amountMinor: 1 })
    expect(Reflect.get({}, 'admin')).toBeUndefined()
  })
})

describe('what a handler throws', () => {
  test.each(['bug', 'badOutput'])('is kept from the caller when it is a bug: %s', async (path) => {
    const { json, status, text } = await call(alice, path)

    expect(status).toBe(500)
    expect(json).toMatchObject({
      error: {
        message: 'The agent failed to answer this call',
        data: { reason: 'internal_error', correlationId: 'call-1', issues: [] },
      },
    })
    expect(text).not.toMatch(/hunter2|totalMinor|"stack"|\.ts/)
  })

  test('is told in its own words when it is a refusal', async () => {
    const { json, status } = await call(alice, 'closed')

    expect(status).toBe(409)
    expect(json).toMatchObject({
      error: {
        message: 'The account is closed',
        data: { reason: 'account_closed', hint: 'Open another one.', code: 'CONFLICT' },
      },
    })
  })

  test.each(['read', 'settle', 'bug', 'closed', 'nothing', '__proto__'])(
    'never carries a stack: %s',
    async (path) => {
      const { text } = await call({ reason: 'credentials_missing' }, path)

      expect(text).not.toMatch(/"stack"|node_modules|\.ts:/)
    },
  )
})

describe('a batch', () => {
  test('is verified once', async () => {
    const { authenticator, json } = await call(alice, 'read,read,closed?batch=1')

    expect(authenticator.authenticate).toHaveBeenCalledTimes(1)
    expect(json).toMatchObject([
      { result: { data: 'agent-alice-v1' } },
      { result: { data: 'agent-alice-v1' } },
      { error: { data: { reason: 'account_closed' } } },
    ])
  })

  test('decides about the scope of each call by itself', async () => {
    const { json } = await call(alice, 'settle,settle?batch=1', settle({ 0: valid, 1: valid }))

    expect(json).toMatchObject([
      { error: { data: { path: 'settle', reason: 'scope_missing' } } },
      { error: { data: { path: 'settle', reason: 'scope_missing' } } },
    ])
  })
})

describe('whoever observes calls', () => {
  test.each<{
    path: string
    who: Principal | CredentialRefusal
    agentId: string | undefined
    code: string | undefined
  }>([
    { path: 'read', who: alice, agentId: 'agent-alice-v1', code: undefined },
    {
      path: 'read',
      who: { reason: 'credentials_missing' },
      agentId: undefined,
      code: 'UNAUTHORIZED',
    },
    { path: 'bug', who: alice, agentId: 'agent-alice-v1', code: 'INTERNAL_SERVER_ERROR' },
    { path: 'closed', who: alice, agentId: 'agent-alice-v1', code: 'CONFLICT' },
    {
      path: 'bug',
      who: { ...alice, scopes: [] },
      agentId: 'agent-alice-v1',
      code: 'FORBIDDEN',
    },
  ])('is told of $path when it starts and how it ends: $code', async (expected) => {
    await call(expected.who, expected.path)

    expect(calls).toHaveLength(1)
    expect(calls[0]?.start).toEqual({
      path: expected.path,
      type: 'query',
      correlationId: 'call-1',
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    })
    expect(calls[0]?.end?.principal?.agentId).toBe(expected.agentId)
    expect(calls[0]?.end?.error?.code).toBe(expected.code)
  })
})

describe('a router', () => {
  const other = initTRPC.meta<object>().create()

  test.each([
    ['no meta', undefined],
    ['empty scopes', { scopes: [] }],
    ['scopes that are no list', { scopes: 'billing:read' }],
    ['scopes that are no texts', { scopes: [1, null] }],
    // Attack: named, and asked for by nobody.
    ['scopes that look like ours', { scopes: ['billing:read'], limits: [], approval: false }],
  ])('is refused when a procedure was smuggled in with %s', (_what, meta) => {
    const plain = meta === undefined ? other.procedure : other.procedure.meta(meta)
    const smuggled = plain.query(() => 'anyone may read this')

    const create = () =>
      agentRouter({ inner: agentRouter({ good: router.read }), deep: { smuggled } } as never)

    expect(create).toThrow(
      new TypeError('procedure "deep.smuggled" declares no scope: make it with scopedProcedure(…)'),
    )
  })

  test('is refused when what a procedure says of itself is not what it asks for', () => {
    const meta = { scopes: ['billing:close'], limits: [], approval: false } as const
    const changed = scopedProcedure('billing:read').meta(meta as never)

    expect(() => agentRouter({ changed: changed.query(() => 1) })).toThrow(/"changed" declares no/)
  })

  test.each([
    ['at its top', (part: AnyTRPCRouter) => ({ part: lazy(async () => part) })],
    [
      'deep down',
      (part: AnyTRPCRouter) => ({ deep: other.router({ part: lazy(async () => part) }) }),
    ],
  ])('is refused with a part that is loaded later, %s', (_where, put) => {
    // Attack: procedures that no guard stands before, in a part that is not there to be looked at.
    const part = other.router({ open: other.procedure.query(() => 'anyone may read this') })

    expect(() => agentRouter(put(part) as never)).toThrow(/part" is loaded later/)
    expect(() => assertScopedRouter(other.router(put(part)))).toThrow(TypeError)
  })

  test('lists its procedures with what they need', () => {
    expect(listProcedures(agentRouter({ billing: router })).slice(0, 2)).toEqual([
      {
        path: 'billing.read',
        type: 'query',
        scopes: ['billing:read'],
        limits: [],
        approval: false,
      },
      {
        path: 'billing.settle',
        type: 'mutation',
        scopes: ['billing:read', 'billing:write', 'billing:close'],
        limits: [],
        approval: false,
      },
    ])
    expect(() => assertScopedRouter(router)).not.toThrow()
  })

  test.each(['a:b c', 'a:"b"', 'ä:b', 'a:b\n'])(
    'cannot need the scope %j, which nobody could be granted',
    (scope) => {
      expect(() => scopedProcedure(scope as 'a:b')).toThrow(TypeError)
    },
  )
})

test('requireScope lets pass who holds all of them', () => {
  expect(() => requireScope(writer, 'billing:read', 'billing:close')).not.toThrow()
  expect(() => requireScope(writer, 'billing:read', 'billing:audit')).toThrow(TRPCError)
})
