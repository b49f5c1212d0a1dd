// `research.ask` and `research.answer`: each idempotency key is one job, and one brief.
import { AuthError } from '@deputy/auth/trpc'
import type { Call } from '@deputy/contracts/call'
import type { AskEventWithId, AskInput, AskStreamInput, Brief } from '@deputy/contracts/research'
import { randomUUID } from 'node:crypto'
import { parseEventId, toEventId } from './jobs/event-id.ts'
import type { Job } from './jobs/job.ts'
import type { NewJob } from './jobs/job-store.ts'
import { findOwnJob } from './jobs/own-jobs.ts'
import type { RunningJob, RunningJobs } from './jobs/running-jobs.ts'
import { settleJob } from './jobs/settle-job.ts'
import { workOnJob, type WorkDeps } from './jobs/work-on-job.ts'
import { parseIntent } from './loop/parse-intent.ts'
import { refuseCall } from './refusals.ts'
import { sha256OfJson } from './sha256.ts'

export type AskDeps = WorkDeps & {
  /** The jobs that this process is working on: one that is in no process's hands may be settled. */
  readonly running: RunningJobs
}

/** Answers a question, when the answer is there. Throws `CallRefusal`. */
export async function answer(deps: AskDeps, call: Call, input: AskInput): Promise<Brief> {
  const begun = await begin(deps, call, input)
  if ('brief' in begun) return begun.brief
  if ('earlier' in begun) throw refuseInProgress(begun.earlier)
  return begun.work
}

/** Answers a question step by step, or goes on with that. Throws `CallRefusal`. */
export async function* ask(
  deps: AskDeps,
  call: Call,
  { lastEventId, ...input }: AskStreamInput,
): AsyncGenerator<AskEventWithId> {
  if (lastEventId !== undefined) {
    const position = parseEventId(lastEventId)
    if (position === undefined) throw refuseCall('job_unknown', 'The event id is not one of ours')
    const job = await findOwnJob(deps.jobs, call.principal, position.jobId)
    yield* follow(deps, call, { jobId: job.jobId, after: position.sequence })
    return
  }
  const begun = await begin(deps, call, input)
  // What it ends with is told to whoever follows it, who may be somebody else by then.
  if ('work' in begun) begun.work.catch(() => undefined)
  const jobId = 'earlier' in begun ? begun.earlier : begun.jobId
  yield* follow(deps, call, { jobId, after: 0 })
}

/** The events of a job after a step: live while it is worked on, otherwise as they were. */
async function* follow(
  deps: AskDeps,
  call: Call,
  { after, jobId }: { readonly jobId: string; readonly after: number },
): AsyncGenerator<AskEventWithId> {
  const running = deps.running.find(jobId)
  if (running !== undefined) {
    endWithAuthority(call, running)
    yield* running.follow(after)
    return
  }
  const steps = await deps.traces.list(jobId)
  for (const step of steps.filter(({ sequence }) => sequence > after)) {
    yield { id: toEventId(jobId, step.sequence), event: { type: 'step', jobId, step } }
  }
  const found = await findOwnJob(deps.jobs, call.principal, jobId)
  // Left by a process before this one, while billing was away: settled as when it is asked for again.
  await settleLeft(deps, found)
  const job = await findOwnJob(deps.jobs, call.principal, jobId)
  if (job.state === 'working') throw refuseInProgress(jobId)
  if (job.brief === undefined) {
    throw refuseCall('job_failed', `The job ${jobId} failed: ${job.reason ?? 'internal_error'}`)
  }
  const { brief } = job
  if (after > steps.length) return
  yield { id: toEventId(jobId, steps.length + 1), event: { type: 'brief', jobId, brief } }
}

type Begun =
  | { readonly jobId: string; readonly brief: Brief }
  | { readonly jobId: string; readonly work: Promise<Brief> }
  | { readonly earlier: string }

/**
 * Begins a job, or finds the one that has its idempotency key already. A job that was left open, because
 * billing could not be reached when it was to be paid for, is settled first.
 */
async function begin(deps: AskDeps, call: Call, input: AskInput): Promise<Begun> {
  const { clock, library, planner, running } = deps
  const documents = await library.whenIndexed()
  if (!documents.ok) {
    throw refuseCall(
      'documents_unavailable',
      `There is nothing to search: ${documents.refusal.detail}`,
    )
  }
  const { agentId, subject } = call.principal
  const { idempotencyKey, maxSentences, question, taskGrant } = input
  const job: NewJob = {
    jobId: randomUUID(),
    asker: { agentId, subject },
    // What looks like a secret is kept nowhere, as little as it is shown to a model.
    question: parseIntent(question).question,
    idempotencyKey,
    bodySha256: sha256OfJson({ question, maxSentences, taskGrant }),
    answeredBy: planner.label,
    askedAt: clock.now(),
  }
  // Before it is on disk: whoever finds it there must see that somebody works on it.
  const own = running.open(job.jobId)
  try {
    const earlier = await claim(deps, job)
    if (earlier !== undefined) {
      own.discard()
      return earlier
    }
  } catch (error) {
    own.discard()
    throw error
  }
  endWithAuthority(call, own)
  const work = { ...job, call, maxSentences, taskGrant, documents: documents.value }
  return { jobId: job.jobId, work: own.run(async () => workOnJob(deps, work, own)) }
}

async function claim(deps: AskDeps, job: NewJob): Promise<Begun | undefined> {
  const { jobs, running } = deps
  const earlier = await jobs.begin(job)
  if (earlier === undefined) return undefined
  if (earlier.bodySha256 !== job.bodySha256) {
    throw refuseCall('idempotency_conflict', 'The idempotency key was used for another question')
  }
  const { jobId } = earlier
  if (earlier.brief !== undefined) return { jobId, brief: earlier.brief }
  if (running.find(jobId) !== undefined) return { earlier: jobId }
  // Read again: it may have ended just before it was asked whether it is in hand.
  const left = (await jobs.find(jobId)) ?? earlier
  const brief = left.brief ?? (await settleLeft(deps, left))
  if (brief !== undefined) return { jobId, brief }
  // Its key is free now, unless billing is still away or another call was faster.
  return (await jobs.begin(job)) === undefined ? undefined : { earlier: jobId }
}

async function settleLeft(deps: AskDeps, job: Job): Promise<Brief | undefined> {
  if (job.state !== 'working') return undefined
  return settleJob(deps, job, { billing: deps.billing(job.jobId), reason: 'interrupted' })
}

/**
 * Work ends with the authority that it is done for: in the moment in which it is revoked. A token that only
 * expires, or a connection that breaks, ends nothing: the caller comes back with a new one.
 */
function endWithAuthority({ signal }: Call, running: RunningJob): void {
  const end = (): void => {
    const reason: unknown = signal?.reason
    if (reason instanceof AuthError && reason.refusal.reason === 'token_revoked')
      running.abort(reason)
  }
  if (signal?.aborted === true) end()
  else signal?.addEventListener('abort', end, { once: true })
}

function refuseInProgress(jobId: string) {
  return refuseCall('job_in_progress', `The job ${jobId} is being worked on`)
}
