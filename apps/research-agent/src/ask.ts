// `research.ask` and `research.answer`: each idempotency key is one job, and one brief.
import { startTimer } from '@deputy/auth/protocol'
import { AuthError } from '@deputy/auth/trpc'
import type { Call } from '@deputy/contracts/call'
import type { AskEventWithId, AskInput, AskStreamInput, Brief } from '@deputy/contracts/research'
import { createId } from '@deputy/storage'
import { parseEventId, toEventId } from './jobs/event-id.ts'
import type { Job } from './jobs/job.ts'
import { LeaseLostError, type NewJob } from './jobs/job-store.ts'
import { startLease } from './jobs/lease.ts'
import { findOwnJob } from './jobs/own-jobs.ts'
import type { RunningJob, RunningJobs } from './jobs/running-jobs.ts'
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
  const begun = await begin(deps, call, { ...input, isStream: false })
  if ('brief' in begun) return begun.brief
  if ('earlier' in begun) {
    throw refuseCall('job_in_progress', `The job ${begun.earlier} is being worked on`)
  }
  return begun.work.catch((error: unknown) => {
    if (!(error instanceof LeaseLostError)) throw error
    throw refuseCall('interrupted', `Another process took up the job ${begun.jobId}`)
  })
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
  const begun = await begin(deps, call, { ...input, isStream: true })
  // What it ends with is told to whoever follows it, who may be somebody else by then.
  if ('work' in begun) begun.work.catch(() => undefined)
  const jobId = 'earlier' in begun ? begun.earlier : begun.jobId
  yield* follow(deps, call, { jobId, after: 0 })
}

/**
 * The events of a job after a step: live while this process works on it, as they are written down while another one does,
 * and otherwise as they were. A job that nobody works on is taken up.
 */
async function* follow(
  deps: AskDeps,
  call: Call,
  { after, jobId }: { readonly jobId: string; readonly after: number },
): AsyncGenerator<AskEventWithId> {
  let position = after
  for (;;) {
    const running = deps.running.find(jobId)
    if (running !== undefined) {
      endWithAuthority(call, running)
      try {
        const events = running.follow(position)
        for (let event = await events.next(); ; event = await events.next()) {
          if (event.done === true) {
            if (event.value) return
            break
          }
          position = parseEventId(event.value.id)?.sequence ?? position
          yield event.value
        }
      } catch (error) {
        // Another process has it by now, which writes down what comes.
        if (!(error instanceof LeaseLostError)) throw error
      }
    }
    for (const step of await deps.traces.list(jobId, position)) {
      position = step.sequence
      yield { id: toEventId(jobId, step.sequence), event: { type: 'step', jobId, step } }
    }
    const job = await findOwnJob(deps.jobs, call.principal, jobId)
    if (job.state === 'failed') {
      throw refuseCall('job_failed', `The job ${jobId} failed: ${job.reason ?? 'internal_error'}`)
    }
    if (job.brief !== undefined) {
      // What was written between the two looks comes first.
      const rest = await deps.traces.list(jobId, position)
      if (rest.length > 0) continue
      const { brief } = job
      const id = toEventId(jobId, (await deps.traces.list(jobId)).length + 1)
      if ((parseEventId(id)?.sequence ?? 0) > after) {
        yield { id, event: { type: 'brief', jobId, brief } }
      }
      return
    }
    const taken = await takeUp(deps, call, jobId)
    if (taken === undefined) await waitFor(deps, call)
    else taken.work.catch(() => undefined)
  }
}

type Begun =
  | { readonly jobId: string; readonly brief: Brief }
  | { readonly jobId: string; readonly work: Promise<Brief> }
  | { readonly earlier: string }

/** Begins a job, or finds the one that has its idempotency key already, and takes that up where nobody works on it. */
async function begin(
  deps: AskDeps,
  call: Call,
  { isStream, ...input }: AskInput & { readonly isStream: boolean },
): Promise<Begun> {
  const { clock, planner, running } = deps
  const documents = await countDocuments(deps)
  const { agentId, subject } = call.principal
  const { idempotencyKey, maxSentences, question, taskGrant } = input
  const askedAt = clock.now()
  const job: NewJob = {
    jobId: createId(askedAt),
    asker: { agentId, subject },
    // What looks like a secret is kept nowhere, as little as it is shown to a model.
    question: parseIntent(question).question,
    maxSentences,
    taskGrant,
    idempotencyKey,
    bodySha256: sha256OfJson({ question, maxSentences, taskGrant }),
    answeredBy: planner.label,
    askedAt,
  }
  // Before it is on disk: whoever finds it there must see that somebody works on it.
  const own = running.open(job.jobId)
  const earlier = await deps.jobs
    .begin(job, startLease(deps).until)
    .then(async (found) => found && (await claim(deps, call, { job, found })))
    .catch((error: unknown) => {
      own.discard()
      throw error
    })
  if (earlier !== undefined) {
    own.discard()
    return earlier
  }
  endWithAuthority(call, own)
  const work = { job, call, documents, isResumable: isStream || idempotencyKey !== undefined }
  return { jobId: job.jobId, work: own.run(async () => workOnJob(deps, work, own)) }
}

async function claim(
  deps: AskDeps,
  call: Call,
  { found, job }: { readonly job: NewJob; readonly found: Job },
): Promise<Begun | undefined> {
  if (found.bodySha256 !== job.bodySha256) {
    throw refuseCall('idempotency_conflict', 'The idempotency key was used for another question')
  }
  const { jobId } = found
  if (found.brief !== undefined) return { jobId, brief: found.brief }
  if (deps.running.find(jobId) !== undefined) return { earlier: jobId }
  const taken = await takeUp(deps, call, jobId)
  if (taken !== undefined) return { jobId, ...taken }
  // It may have ended just before it was to be taken up.
  const now = (await deps.jobs.find(jobId)) ?? found
  if (now.brief !== undefined) return { jobId, brief: now.brief }
  if (now.state === 'working') return { earlier: jobId }
  // Its key is free now, unless another call was faster.
  const again = await deps.jobs.begin(job, startLease(deps).until)
  return again === undefined ? undefined : { earlier: again.jobId }
}

/** Goes on with a job that nobody works on, for whoever asks for it now; `undefined` when somebody does, or it has ended. */
async function takeUp(
  deps: AskDeps,
  call: Call,
  jobId: string,
): Promise<{ readonly work: Promise<Brief> } | undefined> {
  const { jobs, running, traces } = deps
  const documents = await countDocuments(deps)
  if (running.find(jobId) !== undefined) return undefined
  const own = running.open(jobId)
  try {
    const left = await jobs.takeUp(jobId, startLease(deps))
    if (left === undefined) {
      own.discard()
      return undefined
    }
    const steps = await traces.list(jobId)
    for (const step of steps) own.addStep(step)
    endWithAuthority(call, own)
    const work = { job: left, call, documents, isResumable: true, left: { ...left, steps } }
    return { work: own.run(async () => workOnJob(deps, work, own)) }
  } catch (error) {
    own.discard()
    throw error
  }
}

/** How many are searched. Throws `documents_unavailable`. */
async function countDocuments({ library }: AskDeps): Promise<number> {
  const documents = await library.whenIndexed()
  if (documents.ok) return documents.value
  throw refuseCall(
    'documents_unavailable',
    `There is nothing to search: ${documents.refusal.detail}`,
  )
}

/** How often a job that another process works on is looked at. */
const LOOK_EVERY_MS = 500

async function waitFor({ clock }: AskDeps, { signal }: Call): Promise<void> {
  signal?.throwIfAborted()
  await new Promise<void>((resolve) => {
    startTimer(clock, LOOK_EVERY_MS, resolve)
  })
}

/** What says that an authority was taken away. An API key has one reason for all that ends it. */
const TAKEN_AWAY: ReadonlySet<string> = new Set(['token_revoked', 'api_key_invalid'])

/**
 * Work ends with the authority that it is done for: in the moment in which it is revoked. A token that only
 * expires, or a connection that breaks, ends nothing: the caller comes back with a new one.
 */
function endWithAuthority({ signal }: Call, running: RunningJob): void {
  const end = (): void => {
    const reason: unknown = signal?.reason
    if (reason instanceof AuthError && TAKEN_AWAY.has(reason.refusal.reason)) running.abort(reason)
  }
  if (signal?.aborted === true) end()
  else signal?.addEventListener('abort', end, { once: true })
}
