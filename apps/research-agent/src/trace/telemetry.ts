import type { TraceStep } from '@deputy/contracts/trace'
import { SpanStatusCode, type Span } from '@opentelemetry/api'

export const TRACER_NAME = '@deputy/research-agent'

/** Says on the span of a step what came of it. */
export function describeStep(span: Span, step: Omit<TraceStep, 'sequence'>): void {
  const { decision, inputTokens, kind, outputTokens, reason, tool } = step
  span.setAttributes({
    'research.step': kind,
    'research.decision': decision,
    ...(tool === undefined ? {} : { 'gen_ai.tool.name': tool }),
    ...(reason === undefined ? {} : { 'research.reason': reason }),
    ...(inputTokens === undefined ? {} : { 'gen_ai.usage.input_tokens': inputTokens }),
    ...(outputTokens === undefined ? {} : { 'gen_ai.usage.output_tokens': outputTokens }),
  })
  if (decision === 'refused') span.setStatus({ code: SpanStatusCode.ERROR })
}
