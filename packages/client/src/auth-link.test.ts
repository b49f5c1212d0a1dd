import { createTRPCClient, TRPCClientError, type TRPCLink } from '@trpc/client'
import { observable } from '@trpc/server/observable'
import { describe, expect, test, vi } from 'vitest'
import type { TestRouter } from '../../../test/support/test-agent.ts'
import { createAuthLink, readAuthorization } from './auth-link.ts'
import { Authorization, type Authorizer } from './authorization.ts'
import { ClientError } from './error/client-error.ts'
import { toClientError } from './error/to-client-error.ts'

/** What an agent answers to the authorization with this text; `undefined` answers the call. */
type Answer = (
  sent: string,
) => { readonly status: number; readonly reason?: string; readonly mayBeDone?: boolean } | undefined

/** A client whose authorizer hands out `a1`, `a2`, … and whose agent answers as the test says. */
function createHarness(answer: Answer, canRenew = true) {
  const sent: string[] = []
  const renewed: string[] = []
  let issued = 1
  const text = (authorization: Authorization): string =>
    authorization.toHeaders()['authorization'] ?? ''
  let current = new Authorization({ authorization: 'a1' })
  const authorizer: Authorizer = {
    authorize: async () => current,
    renew(refused) {
      renewed.push(text(refused))
      if (canRenew && refused === current) {
        issued += 1
        current = new Authorization({ authorization: `a${String(issued)}` })
      }
      return canRenew
    },
  }
  const agent: TRPCLink<TestRouter> =
    () =>
    ({ op }) =>
      observable((observer) => {
        const authorization = text(readAuthorization(op))
        sent.push(authorization)
        const refusal = answer(authorization)
        if (refusal) {
          const { reason, status } = refusal
          const code = status === 401 ? 'UNAUTHORIZED' : 'X'
          const data = { ...refusal, httpStatus: status, code }
          const error = { code: -32_001, message: reason ?? 'no', data }
          observer.error(TRPCClientError.from({ error } as never))
          return
        }
        observer.next({ result: { type: 'data', data: 'answer' } })
        observer.complete()
      })
  const client = createTRPCClient<TestRouter>({
    links: [createAuthLink({ openAuthorizer: () => authorizer }), agent],
  })
  return { client, sent, renewed }
}

const expired = { status: 401, reason: 'token_expired' }

describe('a call', () => {
  test('is sent once when it is answered', async () => {
    const { client, renewed, sent } = createHarness(() => undefined)

    expect(await client.whoAmI.query()).toBe('answer')
    expect([sent, renewed]).toEqual([['a1'], []])
  })

  test.each([
    { status: 401, reason: 'token_expired' },
    { status: 401, reason: 'token_signature_invalid' },
    { status: 401, reason: 'token_audience_invalid' },
    // Any other tRPC server gives no reason: a plain 401.
    { status: 401 },
  ])('refused with %j is sent once more with a fresh authorization', async (refusal) => {
    const { client, renewed, sent } = createHarness((text) => (text === 'a1' ? refusal : undefined))

    expect(await client.pay.mutate({ amountMinor: 1 })).toBe('answer')
    expect([sent, renewed]).toEqual([['a1', 'a2'], ['a1']])
  })

  test('refused twice is not sent a third time', async () => {
    const { client, sent } = createHarness(() => expired)

    const error = await client.whoAmI.query().catch(toClientError)

    expect(error).toMatchObject({ code: 'token_expired', status: 401 })
    expect(sent).toEqual(['a1', 'a2'])
  })

  test.each([
    { status: 403, reason: 'scope_missing' },
    { status: 401, reason: 'api_key_invalid' },
    { status: 401, reason: 'credentials_missing' },
    { status: 503, reason: 'verifier_unavailable' },
    { status: 500, reason: 'internal_error' },
    { status: 409, reason: 'token_expired' },
    { status: 400, reason: 'input_invalid' },
  ])('refused with %j is not sent again', async (refusal) => {
    // A mutation that may have been carried out must never be repeated behind the caller's back.
    const { client, renewed, sent } = createHarness(() => refusal)

    const error = await client.pay.mutate({ amountMinor: 1 }).catch(toClientError)

    expect(error).toMatchObject({ code: refusal.reason })
    expect([sent, renewed]).toEqual([['a1'], []])
  })

  // Its token ended while it was under way: what has begun goes on, and would be done twice.
  test('in the middle of a mutation is not sent again', async () => {
    const ended = { status: 401, reason: 'token_expired', mayBeDone: true }
    const { client, sent } = createHarness((text) => (text === 'a1' ? ended : undefined))

    const error = await client.pay.mutate({ amountMinor: 1 }).catch(toClientError)

    expect(error).toMatchObject({ code: 'token_expired', mayBeDone: true })
    expect(sent).toEqual(['a1'])
  })

  test('is not sent again when nothing else can be sent', async () => {
    const { client, renewed, sent } = createHarness(() => expired, false)

    await expect(client.whoAmI.query()).rejects.toThrow('token_expired')

    expect([sent, renewed]).toEqual([['a1'], ['a1']])
  })

  test('of several at once is sent again with the one fresh authorization', async () => {
    const { client, sent } = createHarness((text) => (text === 'a1' ? expired : undefined))

    const answers = await Promise.all(Array.from({ length: 5 }, async () => client.whoAmI.query()))

    expect(answers).toEqual(Array(5).fill('answer'))
    expect(sent.toSorted()).toEqual([...Array(5).fill('a1'), ...Array(5).fill('a2')])
  })
})

test('a stream that had begun is not begun again behind the back of who reads it', async () => {
  const authorization = new Authorization({ authorization: 'a1' })
  let sent = 0
  const agent: TRPCLink<TestRouter> = () => () =>
    observable((observer) => {
      sent += 1
      observer.next({ result: { type: 'data', data: sent } })
      const data = { httpStatus: 401, reason: 'token_expired' }
      const error = { code: -32_001, message: 'expired', data }
      observer.error(TRPCClientError.from({ error } as never))
    })
  const authorizer: Authorizer = { authorize: async () => authorization, renew: () => true }
  const client = createTRPCClient<TestRouter>({
    links: [createAuthLink({ openAuthorizer: () => authorizer }), agent],
  })
  const ended = Promise.withResolvers<unknown>()
  const seen: unknown[] = []

  client.count.subscribe(undefined, {
    onData: (value) => seen.push(value),
    onError: ended.resolve,
  })

  expect(toClientError(await ended.promise)).toMatchObject({ code: 'token_expired' })
  expect([sent, seen]).toEqual([1, [1]])
})

describe('without an authorization', () => {
  const refused = new ClientError({ code: 'token_refused', message: 'no', hint: 'ask' })

  test('nothing is sent, and the caller learns why', async () => {
    const send = vi.fn<() => void>()
    const client = createTRPCClient<TestRouter>({
      links: [
        createAuthLink({
          openAuthorizer: () => ({
            authorize: async () => Promise.reject(refused),
            renew: () => true,
          }),
        }),
        () => () => observable(() => send()),
      ],
    })

    const error = await client.whoAmI.query().catch(toClientError)

    expect(error).toBe(refused)
    expect(send).not.toHaveBeenCalled()
  })

  test('that comes too late nothing is sent either', async () => {
    const { promise, resolve } = Promise.withResolvers<Authorization>()
    const send = vi.fn<() => void>()
    const link = createAuthLink<TestRouter>({
      openAuthorizer: () => ({ authorize: async () => promise, renew: () => true }),
    })
    const op = { id: 1, type: 'query', path: 'whoAmI', input: undefined, context: {}, signal: null }
    const call = link({})({
      op: op as never,
      next: () => observable(() => send()),
    }).subscribe({})

    call.unsubscribe()
    resolve(new Authorization({ authorization: 'a1' }))
    await new Promise((done) => setImmediate(done))

    expect(send).not.toHaveBeenCalled()
  })

  test('the sending link says that the auth link is missing', () => {
    expect(() => readAuthorization({ context: {} })).toThrow(
      new TypeError('the auth link must stand before the link that sends'),
    )
  })
})
