import { TRPCError } from '@trpc/server'
import { fetchRequestHandler } from '@trpc/server/adapters/fetch'
import { describe, expect, test } from 'vitest'
import type { Principal } from '../principal.ts'
import { accept } from '../protocol/index.ts'
import { agentRouter, CallRefusal, createAgentContext, scopedProcedure } from './index.ts'

const alice: Principal = {
  agentId: 'agent-alice-v1',
  subject: 'agent-alice-v1',
  audience: 'agent-billing-v2',
  scopes: ['billing:read'],
  priorActors: [],
  expiresAt: 2_000_000_000,
  grantPath: ['token-1'],
  limits: [],
  credential: { kind: 'access_token', id: 'token-1' },
}

/** What a client of another package throws: known by its members alone. */
function createClientError(members: object): Error {
  return Object.assign(new Error('agent-carol said: eyJhbGciOi.secret'), members)
}

const PENDING = { code: 'approval_pending', approvalId: 'approval-1', intervalSeconds: 5 }

async function call(thrown: unknown) {
  const router = agentRouter({
    ask: scopedProcedure('billing:read').mutation(() => {
      throw thrown
    }),
  })
  const createContext = createAgentContext({
    authenticator: {
      authenticate: async () =>
        accept({
          principal: alice,
          recheck: async () => accept(alice),
          watch: () => () => undefined,
        }),
    },
  })
  const response = await fetchRequestHandler({
    endpoint: '/trpc',
    router,
    req: new Request('https://billing.example/trpc/ask', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    }),
    createContext: ({ req }) =>
      createContext({ req: { headers: Object.fromEntries(req.headers) } }),
  })
  const text = await response.text()
  return { status: response.status, text, body: JSON.parse(text) as unknown }
}

const dataOf = (data: object) => ({ error: { data: expect.objectContaining(data) as unknown } })

describe('an agent that needs an approval further on', () => {
  test('has its caller wait: which approval it is, and when to send the call again', async () => {
    const answer = await call(createClientError({ ...PENDING, expiresInSeconds: 900 }))

    expect(answer.status).toBe(403)
    expect(answer.body).toMatchObject(
      dataOf({
        code: 'FORBIDDEN',
        reason: 'approval_pending',
        approval: { id: 'approval-1', intervalSeconds: 5, expiresInSeconds: 900 },
      }),
    )
  })

  test('says that it was denied', async () => {
    const answer = await call(
      createClientError({ code: 'approval_denied', approvalId: 'approval-1' }),
    )

    expect(answer.status).toBe(403)
    expect(answer.body).toMatchObject(
      dataOf({ reason: 'approval_denied', approval: { id: 'approval-1' } }),
    )
  })

  test('tells nothing of what the agent further on said', async () => {
    const { text } = await call(createClientError(PENDING))

    expect(text).not.toContain('agent-carol')
    expect(text).not.toContain('eyJhbGciOi')
  })

  test('may turn the call down in words of its own', async () => {
    const refusal = new CallRefusal({
      code: 'CONFLICT',
      reason: 'not_now',
      message: 'not now',
      hint: 'later',
    })

    const { body } = await call(Object.assign(refusal, { cause: createClientError(PENDING) }))

    expect(body).toMatchObject(dataOf({ reason: 'not_now' }))
  })
})

test.each([
  ['another code', { ...PENDING, code: 'token_refused' }],
  ['no id', { ...PENDING, approvalId: undefined }],
  ['a wait that is none', { ...PENDING, intervalSeconds: -1 }],
])('an error with %s stays a fault of the agent', async (_, members) => {
  expect(await call(createClientError(members))).toMatchObject({
    status: 500,
    body: dataOf({ reason: 'internal_error' }),
  })
})

test('an error of tRPC that is no fault stays as it is', async () => {
  const thrown = new TRPCError({ code: 'NOT_FOUND', cause: createClientError(PENDING) })

  expect((await call(thrown)).status).toBe(404)
})
