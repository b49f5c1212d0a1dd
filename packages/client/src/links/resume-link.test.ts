import type { Clock } from '@deputy/auth/protocol'
import { createTRPCClient, TRPCClientError, type TRPCLink } from '@trpc/client'
import { observable } from '@trpc/server/observable'
import { describe, expect, test } from 'vitest'
import type { TestRouter } from '../../../../test/support/test-agent.ts'
import { ClientError } from '../error/client-error.ts'
import { createResumeLink, type ResumePolicy } from './resume-link.ts'

/** What one attempt comes to: ids that it delivers, and then its error. */
type Attempt = {
  readonly ids?: readonly string[]
  readonly error: ClientError
  readonly openSeconds?: number
}

const lost = new ClientError({ code: 'network_error', message: 'cut' })
const refusal = (code: string, facts: object = {}): ClientError =>
  new ClientError({ code, message: code, ...facts })

/** Subscribes to an agent that does as it is told, attempt for attempt; after them it brings the end. */
async function subscribe(attempts: readonly Attempt[], policy: ResumePolicy = {}) {
  const waitsMs: number[] = []
  const inputs: unknown[] = []
  let now = 1_800_000_000
  const clock: Clock = {
    now: () => now,
    after(ms, callback) {
      waitsMs.push(ms)
      queueMicrotask(callback)
      return () => undefined
    },
  }
  const agent: TRPCLink<TestRouter> =
    () =>
    ({ op }) =>
      observable((observer) => {
        const attempt = attempts[inputs.length]
        inputs.push(op.input)
        observer.next({ result: { type: 'started' } })
        for (const id of attempt?.ids ?? []) {
          observer.next({ result: { type: 'data', id, data: { id, data: Number(id) } } })
        }
        now += attempt?.openSeconds ?? 0
        if (attempt === undefined) observer.complete()
        else observer.error(TRPCClientError.from(attempt.error))
      })
  const client = createTRPCClient<TestRouter>({
    links: [createResumeLink({ random: () => 0, ...policy }, clock), agent],
  })
  const ticks: number[] = []
  const end = Promise.withResolvers<unknown>()
  client.ticks.subscribe(undefined, {
    onData: ({ data }) => ticks.push(data),
    onError: end.resolve,
    onComplete: () => {
      end.resolve('complete')
    },
  })
  return { waitsMs, inputs, ticks, end: await end.promise }
}

const times = (count: number, attempt: Attempt): Attempt[] =>
  Array.from({ length: count }, () => attempt)

describe('a subscription that is lost', () => {
  test('is begun again after the last event that was delivered', async () => {
    const { end, inputs, ticks } = await subscribe([
      { ids: ['1', '2'], error: lost },
      { ids: [], error: lost },
      { ids: ['3'], error: lost },
    ])

    expect(inputs).toEqual([
      undefined,
      { lastEventId: '2' },
      { lastEventId: '2' },
      { lastEventId: '3' },
    ])
    expect([ticks, end]).toEqual([[1, 2, 3], 'complete'])
  })

  test('is waited for longer each time, up to a limit', async () => {
    const { waitsMs } = await subscribe(times(9, { error: lost }))

    expect(waitsMs).toEqual([250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000])
  })

  test('of many clients is not tried again by all in the same moment', async () => {
    const early = await subscribe([{ error: lost }], { random: () => 0 })
    const late = await subscribe([{ error: lost }], { random: () => 0.999 })

    expect([early.waitsMs[0], Math.round(late.waitsMs[0] ?? 0)]).toEqual([250, 500])
  })

  test.each([
    ['brought something', { ids: ['1'], error: lost }],
    ['was open for a while', { openSeconds: 5, error: lost }],
  ])('begins to count anew once an attempt %s', async (_, good) => {
    const { waitsMs } = await subscribe([...times(3, { error: lost }), good, { error: lost }])

    expect(waitsMs).toEqual([250, 500, 1000, 250, 500])
  })

  test('is waited for as long as the agent says', async () => {
    const { waitsMs } = await subscribe([
      { error: refusal('rate_limited', { status: 429, retryAfterSeconds: 20 }) },
    ])

    expect(waitsMs).toEqual([20_250])
  })

  test('is given up after as many attempts as the policy allows', async () => {
    const { end, inputs } = await subscribe(times(9, { error: lost }), { maxAttempts: 3 })

    expect(inputs).toHaveLength(3)
    expect(end).toBe(lost)
  })
})

describe('a subscription that ends with a reason', () => {
  test.each([
    ['the end of a token', refusal('token_expired', { status: 401 })],
    ['an agent that shuts down', refusal('agent_draining', { status: 503 })],
  ])('is begun again at once after %s', async (_, error) => {
    const { end, waitsMs } = await subscribe([{ error }])

    expect([waitsMs, end]).toEqual([[0], 'complete'])
  })

  test('is not begun again and again when the next token is refused as well', async () => {
    const error = refusal('token_revoked', { status: 401 })

    const { end, inputs } = await subscribe(times(9, { error }))

    expect(inputs).toHaveLength(2)
    expect(end).toBe(error)
  })

  test('waits when an agent that shuts down is still all there is', async () => {
    const { waitsMs } = await subscribe(
      times(3, { error: refusal('agent_draining', { status: 503 }) }),
    )

    expect(waitsMs).toEqual([0, 500, 1000])
  })

  test.each([
    'scope_missing',
    'input_invalid',
    'token_refused',
    'internal_error',
    'api_key_invalid',
  ])('ends with %s', async (code) => {
    const error = refusal(code, { status: 401 })

    const { end, inputs } = await subscribe(times(3, { error }))

    expect([inputs.length, end]).toEqual([1, error])
  })

  test('counts as one too many only while the agent may not know that the last one was cut', async () => {
    const error = refusal('too_many_streams', { status: 429 })

    const first = await subscribe([{ error }])
    const later = await subscribe([{ ids: ['1'], error: lost }, { error }])

    expect([first.end, later.end]).toEqual([error, 'complete'])
  })
})
