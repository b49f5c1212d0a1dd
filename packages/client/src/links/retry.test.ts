import { createTRPCClient, TRPCClientError, type Operation, type TRPCLink } from '@trpc/client'
import { observable } from '@trpc/server/observable'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { TestRouter } from '../../../../test/support/test-agent.ts'
import { createAuthLink } from '../auth-link.ts'
import { Authorization, type Authorizer } from '../authorization.ts'
import { toClientError } from '../error/to-client-error.ts'
import { createRetryBudget } from './retry-budget.ts'
import { createRetry, type RetryPolicy } from './retry.ts'
import { createSignalLink } from './signal-link.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Nobody was there, as Node's `fetch` says it. */
const lost = (code: string): TRPCClientError<TestRouter> =>
  TRPCClientError.from(
    new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) }),
  )

/** An answer that is not tRPC's, as of a proxy. */
const answered = (status: number, headers: Record<string, string> = {}) =>
  TRPCClientError.from<TestRouter>(new Error('no JSON'), {
    meta: { response: { status, headers: new Headers(headers) } },
  })

/** A refusal by an agent. */
const refused = (reason: string, more: object = {}) =>
  TRPCClientError.from<TestRouter>({
    error: { code: -32_000, message: reason, data: { reason, httpStatus: 503, ...more } },
  } as never)

const authorization = new Authorization({})
const authorizer: Authorizer = { authorize: async () => authorization, renew: () => false }

/** A client whose calls fail with these, one after the other, and are answered then. */
function createHarness(
  failures: readonly TRPCClientError<TestRouter>[],
  { budget, ...policy }: RetryPolicy & { budget?: ReturnType<typeof createRetryBudget> } = {},
) {
  const start = Date.now()
  const sentAtMs: number[] = []
  const agent: TRPCLink<TestRouter> = () => () =>
    observable((observer) => {
      sentAtMs.push(Date.now() - start)
      const failure = failures[sentAtMs.length - 1]
      if (failure) observer.error(failure)
      else observer.next({ result: { type: 'data', data: 'answer' } })
      if (!failure) observer.complete()
    })
  const client = createTRPCClient<TestRouter>({
    links: [
      createSignalLink(),
      createAuthLink({
        openAuthorizer: () => authorizer,
        retry: createRetry({ random: () => 0, ...policy }, budget),
      }),
      agent,
    ],
  })
  return { client, sentAtMs }
}

/** What becomes of a call, with all the time that it takes. */
async function run(call: Promise<unknown>): Promise<unknown> {
  const outcome = call.catch(toClientError)
  await vi.runAllTimersAsync()
  return outcome
}

const always = (error: TRPCClientError<TestRouter>) => Array<typeof error>(100).fill(error)

describe('a query', () => {
  test.each([
    ['ECONNREFUSED', lost('ECONNREFUSED')],
    ['ECONNRESET', lost('ECONNRESET')],
    ['UND_ERR_SOCKET', lost('UND_ERR_SOCKET')],
    ['a browser, which says no more', TRPCClientError.from(new TypeError('Failed to fetch'))],
    ['502 by a proxy', answered(502)],
    ['503 by a proxy', answered(503)],
    ['429 by a proxy', answered(429)],
    ['rate_limited', refused('rate_limited')],
    ['verifier_unavailable', refused('verifier_unavailable')],
  ])('is sent again after %s, three times at most', async (_what, failure) => {
    const once = createHarness([failure])
    const never = createHarness(always(failure))

    expect(await run(once.client.whoAmI.query())).toBe('answer')
    expect(await run(never.client.whoAmI.query())).toMatchObject({ name: 'ClientError' })
    expect([once.sentAtMs.length, never.sentAtMs.length]).toEqual([2, 3])
  })

  test.each([
    ['a certificate that is not trusted', lost('DEPTH_ZERO_SELF_SIGNED_CERT')],
    ['a name that does not exist', lost('ENOTFOUND')],
    [
      'a redirect',
      TRPCClientError.from(
        new TypeError('fetch failed', { cause: new Error('unexpected redirect') }),
      ),
    ],
    ['an answer that is longer than what is read', lost('UND_ERR_RES_EXCEEDED_MAX_SIZE')],
    ['a page of HTML', answered(200)],
    ['another server’s 404', answered(404)],
    ['another server’s 500', answered(500)],
    ['a bug of the agent', refused('internal_error', { httpStatus: 500 })],
    ['a missing scope', refused('scope_missing', { httpStatus: 403 })],
    ['input that is wrong', refused('input_invalid', { httpStatus: 400 })],
    ['a bad token', refused('token_expired', { httpStatus: 401 })],
    ['what depends on others', refused('evidence_unavailable', { httpStatus: 502 })],
  ])('is sent once where no repetition can help: %s', async (_what, failure) => {
    const { client, sentAtMs } = createHarness(always(failure))

    expect(await run(client.whoAmI.query())).toMatchObject({ name: 'ClientError' })
    expect(sentAtMs).toEqual([0])
  })

  test('waits longer before each attempt, and not as long as others that failed with it', async () => {
    const early = createHarness(always(lost('ECONNRESET')), { random: () => 0 })
    const late = createHarness(always(lost('ECONNRESET')), { random: () => 0.999 })

    await Promise.all([run(early.client.whoAmI.query()), run(late.client.whoAmI.query())])

    expect(early.sentAtMs).toEqual([0, 50, 150])
    expect(late.sentAtMs.map((at) => Math.round(at / 10) * 10)).toEqual([0, 100, 300])
  })

  test('comes back when the agent said (Retry-After), and not if that is long', async () => {
    const soon = createHarness([refused('rate_limited', { retryAfterSeconds: 4 })])
    const header = createHarness([answered(503, { 'retry-after': '2' })])
    const late = createHarness(always(refused('rate_limited', { retryAfterSeconds: 11 })))

    const outcomes = await Promise.all(
      [soon, header, late].map(async ({ client }) => run(client.whoAmI.query())),
    )

    expect(outcomes).toEqual([
      'answer',
      'answer',
      expect.objectContaining({ retryAfterSeconds: 11 }),
    ])
    expect([soon.sentAtMs, header.sentAtMs, late.sentAtMs]).toEqual([[0, 4050], [0, 2050], [0]])
  })

  test('is not waited for longer than its caller waits: it is told what is wrong instead', () => {
    const error = toClientError(refused('rate_limited', { retryAfterSeconds: 4 }))
    const op = { type: 'query', path: 'whoAmI', input: undefined } as Operation
    const retry = createRetry({ random: () => 0 })

    const waits = [4049, 4050, 4051].map((leftMs) =>
      retry.findWaitMs(op, error, { attempt: 1, leftMs }),
    )

    expect(waits).toEqual([undefined, undefined, 4050])
  })

  test('that its caller gives up is not sent again', async () => {
    const { client, sentAtMs } = createHarness(always(lost('ECONNRESET')))
    const gaveUp = new AbortController()
    const call = client.whoAmI.query(undefined, { signal: gaveUp.signal }).catch(toClientError)
    await vi.advanceTimersByTimeAsync(0)

    gaveUp.abort()
    await vi.runAllTimersAsync()

    expect(await call).toMatchObject({ code: 'call_aborted' })
    expect(sentAtMs).toEqual([0])
  })
})

describe('a mutation', () => {
  const pay = async (client: ReturnType<typeof createHarness>['client'], input: object) =>
    run(client.pay.mutate({ amountMinor: 1, ...input }))

  test('that may have been carried out is not repeated behind the back of its caller', async () => {
    // Attack prevented on oneself: paid twice, because the first answer was lost on the way.
    const { client, sentAtMs } = createHarness(always(lost('ECONNRESET')))

    expect(await pay(client, {})).toMatchObject({ code: 'network_error' })
    expect(sentAtMs).toEqual([0])
  })

  test('with an idempotency key is sent again', async () => {
    const { client, sentAtMs } = createHarness([lost('ECONNRESET')])

    expect(await pay(client, { idempotencyKey: 'order-17' })).toBe('answer')
    expect(sentAtMs).toHaveLength(2)
  })

  test('whose caller says that it is idempotent is sent again', async () => {
    const { client, sentAtMs } = createHarness([lost('ECONNRESET')], {
      isIdempotent: ({ path }) => path === 'pay',
    })

    expect(await pay(client, {})).toBe('answer')
    expect(sentAtMs).toHaveLength(2)
  })

  test.each([
    ['never left', lost('ECONNREFUSED')],
    ['was counted and refused', refused('rate_limited')],
    ['could not be verified', refused('verifier_unavailable')],
  ])('that certainly was not carried out is sent again: it %s', async (_what, failure) => {
    const { client, sentAtMs } = createHarness([failure])

    expect(await pay(client, {})).toBe('answer')
    expect(sentAtMs).toHaveLength(2)
  })
})

describe('the budget', () => {
  test('ends a storm: of a hundred queries that fail, about one in ten is sent again', async () => {
    // Attack prevented on others: callers of an agent in trouble that treble its load.
    const { client, sentAtMs } = createHarness(Array(1000).fill(lost('ECONNRESET')))

    for (let at = 0; at < 100; at += 1) await run(client.whoAmI.query())

    expect(sentAtMs).toHaveLength(110)
  })

  test('comes back with calls that are answered', () => {
    const budget = createRetryBudget()
    const takeAll = (): number => {
      let taken = 0
      while (budget.take()) taken += 1
      return taken
    }
    const first = takeAll()
    for (let at = 0; at < 35; at += 1) budget.noteSuccess()
    const second = takeAll()
    for (let at = 0; at < 1000; at += 1) budget.noteSuccess()

    expect([first, second, takeAll()]).toEqual([10, 3, 10])
  })

  test('is one where clients share it', async () => {
    const budget = createRetryBudget()
    const sent = []
    for (let at = 0; at < 10; at += 1) {
      const { client, sentAtMs } = createHarness(always(lost('ECONNRESET')), { budget })
      await run(client.whoAmI.query())
      sent.push(sentAtMs.length)
    }

    expect(sent).toEqual([3, 3, 3, 3, 3, 1, 1, 1, 1, 1])
  })
})
