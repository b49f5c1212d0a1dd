// Ids of the events of `research.ask`: the job, and the number of the step.

/** Where a follower is. */
export type Position = { readonly jobId: string; readonly sequence: number }

export function toEventId(jobId: string, sequence: number): string {
  return `${jobId}:${String(sequence)}`
}

/** Reads an id; `undefined` when it is none of ours. */
export function parseEventId(id: string): Position | undefined {
  const [, jobId, sequence] = /^([\w-]{1,64}):(\d{1,9})$/.exec(id) ?? []
  return jobId === undefined ? undefined : { jobId, sequence: Number(sequence) }
}
