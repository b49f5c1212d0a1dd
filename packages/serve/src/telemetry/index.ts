export { createInstruments } from './instruments.ts'
export { reasonOf } from './reason-of.ts'
export { readTraceContext, runInSpan, type SpanOptions } from './spans.ts'
