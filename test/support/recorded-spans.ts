// What an SDK of OpenTelemetry does as far as tests look at it: spans are kept, and are active in what they begin.
import {
  context,
  ROOT_CONTEXT,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type ContextManager,
  type Span,
  type SpanStatus,
} from '@opentelemetry/api'
import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'

export type RecordedSpan = {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly attributes: Attributes
  readonly status: SpanStatus | undefined
}

const storage = new AsyncLocalStorage<Context>()

const manager: ContextManager = {
  active: () => storage.getStore() ?? ROOT_CONTEXT,
  with: (...[active, run, thisArg, ...args]) =>
    storage.run(active, () => run.call(thisArg, ...args)),
  bind: (_active, target) => target,
  enable: () => manager,
  disable: () => manager,
}

/** Registers it for this process. Disposing takes it out. */
export function recordSpans(): Disposable & { readonly ended: readonly RecordedSpan[] } {
  const ended: RecordedSpan[] = []
  const startSpan = (name: string, own: Attributes = {}, parentOf = context.active()): Span => {
    const parent = trace.getSpanContext(parentOf)
    const spanId = randomBytes(8).toString('hex')
    const traceId = parent?.traceId ?? randomBytes(16).toString('hex')
    let attributes = own
    let status: SpanStatus | undefined
    const span: Span = {
      spanContext: () => ({ traceId, spanId, traceFlags: TraceFlags.SAMPLED }),
      setAttribute(key, value) {
        attributes = { ...attributes, [key]: value }
        return span
      },
      setAttributes(more) {
        attributes = { ...attributes, ...more }
        return span
      },
      setStatus(next) {
        status = next
        return span
      },
      end() {
        ended.push({ name, traceId, spanId, parentSpanId: parent?.spanId, attributes, status })
      },
      addEvent: () => span,
      addLink: () => span,
      addLinks: () => span,
      updateName: () => span,
      isRecording: () => true,
      recordException: () => undefined,
    }
    return span
  }
  trace.setGlobalTracerProvider({
    getTracer: () => ({
      startSpan: (name, options, parent) => startSpan(name, options?.attributes, parent),
      startActiveSpan: () => {
        throw new Error('nothing uses it')
      },
    }),
  })
  context.setGlobalContextManager(manager)
  return {
    ended,
    [Symbol.dispose]() {
      trace.disable()
      context.disable()
    },
  }
}
