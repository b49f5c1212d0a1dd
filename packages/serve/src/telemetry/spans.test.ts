import { SpanStatusCode } from '@opentelemetry/api'
import { expect, test } from 'vitest'
import { recordSpans } from '../../../../test/support/recorded-spans.ts'
import { readTraceContext, runInSpan } from './index.ts'

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const SPAN_ID = 'b7ad6b7169203331'
const TRACEPARENT = `00-${TRACE_ID}-${SPAN_ID}-00`
const TRACER = '@deputy/test'

test('work is in the span of whoever called, and what it begins is in its own', async () => {
  using spans = recordSpans()

  const sent = await runInSpan(
    { tracer: TRACER, name: 'outer', attributes: { a: 1 }, traceparent: TRACEPARENT },
    async () =>
      // Whoever called is not whoever called this: the active span is.
      runInSpan({ tracer: TRACER, name: 'inner', traceparent: TRACEPARENT }, async () =>
        readTraceContext(),
      ),
  )

  const [inner, outer] = spans.ended
  expect(outer).toMatchObject({ name: 'outer', traceId: TRACE_ID, parentSpanId: SPAN_ID })
  expect(outer?.attributes).toEqual({ a: 1 })
  expect(inner).toMatchObject({ name: 'inner', traceId: TRACE_ID, parentSpanId: outer?.spanId })
  expect(sent).toEqual({ traceparent: `00-${TRACE_ID}-${inner?.spanId ?? ''}-01` })
})

test('work that throws ends its span as an error, and what it throws is not written there', async () => {
  // Attack: a secret in the message of an error, which a collector would keep.
  using spans = recordSpans()
  const work = runInSpan({ tracer: TRACER, name: 'fails' }, async () => {
    throw new Error('cs-agent-secret')
  })

  await expect(work).rejects.toThrow('cs-agent-secret')
  expect(spans.ended).toMatchObject([{ status: { code: SpanStatusCode.ERROR } }])
  expect(JSON.stringify(spans.ended)).not.toContain('secret')
})

test.each([undefined, '', 'nonsense', `00-${'0'.repeat(32)}-${SPAN_ID}-01`])(
  'a trace that is none begins a new one: %j',
  async (traceparent) => {
    using spans = recordSpans()

    await runInSpan({ tracer: TRACER, name: 'root', traceparent }, async () => undefined)

    expect(spans.ended).toMatchObject([{ parentSpanId: undefined }])
    expect(spans.ended[0]?.traceId).toMatch(/^[\da-f]{32}$/)
  },
)

test('without an SDK the work is done, and no trace is said', async () => {
  const options = { tracer: TRACER, name: 'alone', traceparent: TRACEPARENT }

  expect(await runInSpan(options, async () => readTraceContext())).toBeUndefined()
})
