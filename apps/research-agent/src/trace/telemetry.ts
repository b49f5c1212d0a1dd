// Spans by OpenTelemetry's API: they go nowhere unless the process registers an SDK.
import type { StepKind, TraceStep } from '@deputy/contracts/trace'
import { SpanStatusCode, trace } from '@opentelemetry/api'
import { recordStep } from './step-metrics.ts'

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
      const { decision, inputTokens, outputTokens, reason, tool } = step
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

      recordStep(step)
    },
  }
}
