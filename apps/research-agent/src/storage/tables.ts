// The tables as Kysely sees them. Times are epoch seconds, but for a file's own time in milliseconds.
import type { Generated } from 'kysely'

export type DocumentTable = {
  file: string
  path: string
  size_bytes: number
  modified_ms: number
  sha256: string
}

export type PassageTable = {
  id: Generated<number>
  file: string
  heading: string
  sentences: string
}

export type JobTable = {
  id: string
  asker_agent_id: string
  asker_subject: string
  question: string
  idempotency_key: string | null
  body_sha256: string
  answered_by: string
  state: 'working' | 'completed' | 'failed'
  reason: string | null
  quote_id: string | null
  hold_id: string | null
  draft: string | null
  brief: string | null
  receipt: string | null
  asked_at: number
  completed_at: number | null
  settled: Generated<number>
  worker: string | null
  lease_until: number
  losses: Generated<number>
  max_sentences: number
  task_grant: string | null
  quote: string | null
  checkpoint: string | null
  /** Breaks ties of jobs asked in the same second. */
  sequence: Generated<number>
}

export type TraceStepTable = {
  job_id: string
  sequence: number
  kind: string
  offset_ms: number
  duration_ms: number
  decision: string
  reason: string | null
  detail: string | null
  tool: string | null
  scopes: string | null
  input_tokens: number | null
  output_tokens: number | null
  cost_micros: number | null
}

export type Tables = {
  document: DocumentTable
  passage: PassageTable
  job: JobTable
  trace_step: TraceStepTable
}
