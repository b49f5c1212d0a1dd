// Spans and metrics by OpenTelemetry's API: they go nowhere unless the process registers an SDK.
import type { StepKind, TraceStep } from '@deputy/contracts/trace'
import { metrics, SpanStatusCode, trace } from '@opentelemetry/api'

const NAME = '@deputy/research-agent'

export type StepSpan = {
  end(step: Omit<TraceStep, 'sequence'>): void
}

/** Starts the span of a step. The providers are asked for each time: an SDK may be registered later. */
export function startStepSpan(kind: StepKind, jobId: string): StepSpan {
  const span = trace.getTracer(NAME).startSpan(`research.${kind}`, {
    attributes: { 'research.job_id': jobId },
  })
  return {
    end(step) {
      const { costMicros, decision, durationMs, inputTokens, outputTokens, reason, tool } = step
      const attributes = {
        'research.step': kind,
        'research.decision': decision,
        ...(tool === undefined ? {} : { 'gen_ai.tool.name': tool }),
      }
      span.setAttributes(attributes)
      if (reason !== undefined) span.setAttribute('research.reason', reason)
      if (inputTokens !== undefined) span.setAttribute('gen_ai.usage.input_tokens', inputTokens)
      if (outputTokens !== undefined) span.setAttribute('gen_ai.usage.output_tokens', outputTokens)
      if (decision === 'refused') span.setStatus({ code: SpanStatusCode.ERROR })
      span.end()

      const meter = metrics.getMeter(NAME)
      meter
        .createHistogram('research.step.duration', { unit: 's' })
        .record(durationMs / 1000, attributes)
      const tokens = meter.createCounter('research.model.tokens', { unit: '{token}' })
      if (inputTokens !== undefined) tokens.add(inputTokens, { 'gen_ai.token.type': 'input' })
      if (outputTokens !== undefined) tokens.add(outputTokens, { 'gen_ai.token.type': 'output' })
      if (costMicros !== undefined) {
        meter.createCounter('research.model.cost', { unit: 'uUSD' }).add(costMicros)
      }
    },
  }
}
