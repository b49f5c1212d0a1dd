import type { Operation } from '@trpc/client'
import { observable } from '@trpc/server/observable'
import { describe, expect, test } from 'vitest'
import type { TestRouter } from '../../../../test/support/test-agent.ts'
import { withinCall } from './deadline.ts'
import { createTraceLink, toTraceHeaders, type GetTraceContext } from './trace-context.ts'

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

/** The operation as it leaves the link. */
function pass(
  getTraceContext: GetTraceContext | undefined,
  { context = {}, traceparent }: { context?: object; traceparent?: string } = {},
): Operation {
  const seen: Operation[] = []
  const op: Operation = {
    id: 1,
    type: 'query',
    path: 'whoAmI',
    input: undefined,
    context: { kept: true, ...context },
    signal: null,
  }
  createTraceLink<TestRouter>({ getTraceContext, traceparent })({})({
    op,
    next: (next) => {
      seen.push(next)
      return observable(() => undefined)
    },
  }).subscribe({})
  const [left] = seen
  if (left === undefined) throw new Error('it went nowhere')
  return left
}

describe('the trace of a call', () => {
  test('is that of its caller, with its state', () => {
    const op = pass(() => ({ traceparent: TRACEPARENT, tracestate: 'vendor=1' }))

    expect(toTraceHeaders([op])).toEqual({ traceparent: TRACEPARENT, tracestate: 'vendor=1' })
    expect(op.context['kept']).toBe(true)
  })

  test('is that of what it is made for, unless the moment has one of its own', () => {
    const [ofCall, ofClient, ofMoment] = ['1', '2', '3'].map((digit) =>
      TRACEPARENT.replace('0af7', `${digit}af7`),
    )
    const { context } = withinCall({ traceparent: ofCall })
    const sent = (...ops: Parameters<typeof pass>) => toTraceHeaders([pass(...ops)])['traceparent']

    expect(sent(undefined, { context, traceparent: ofClient ?? '' })).toBe(ofCall)
    expect(sent(() => undefined, { traceparent: ofClient ?? '' })).toBe(ofClient)
    expect(sent(() => ({ traceparent: ofMoment ?? '' }), { context })).toBe(ofMoment)
  })

  test('of a batch is that of its first call that has one', () => {
    const op = pass(() => ({ traceparent: TRACEPARENT }))

    expect(toTraceHeaders([pass(() => undefined), op])).toEqual({ traceparent: TRACEPARENT })
  })

  test('begins with the request where there is none, and is not sampled', () => {
    const [one, two] = [toTraceHeaders([]), toTraceHeaders([pass(() => undefined)])]

    for (const { traceparent } of [one, two]) {
      expect(traceparent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-00$/)
    }
    expect(one).not.toEqual(two)
  })

  test.each([
    'nonsense',
    '',
    TRACEPARENT.toUpperCase(),
    TRACEPARENT.replace('00-', 'ff-'),
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`,
    `${TRACEPARENT}\r\nx-api-key: stolen`,
  ])('is not sent where it is malformed: %j', (traceparent) => {
    // Attack prevented: header fields of whoever wrote the trace.
    const headers = toTraceHeaders([pass(() => ({ traceparent }))])

    expect(headers['traceparent']).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-00$/)
  })

  test.each(['a=1\r\nx: y', 'ü', 'x'.repeat(513)])(
    'goes without a state that is malformed: %j',
    (tracestate) => {
      const op = pass(() => ({ traceparent: TRACEPARENT, tracestate }))

      expect(toTraceHeaders([op])).toEqual({ traceparent: TRACEPARENT })
    },
  )
})
