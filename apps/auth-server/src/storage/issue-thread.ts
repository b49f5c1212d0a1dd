// The server's end of the thread that writes its issue log. It is started with the first batch, and again
// after it broke off.
import { DatabaseUnavailableError } from '@deputy/storage'
import { Worker } from 'node:worker_threads'
import type { IssueBatch, IssueBatchResult, IssueReply, IssueWorkerData } from './issue-batch.ts'

export type IssueThread = {
  /** Commits one batch; one at a time. Rejects when it could not, or when nobody can say. */
  commit(batch: IssueBatch): Promise<IssueBatchResult>
  close(): Promise<void>
}

type Running = {
  readonly worker: Worker
  reply: PromiseWithResolvers<IssueBatchResult> | undefined
}

/** Run from source, types are stripped and packages are found by their sources. */
const isSource = import.meta.url.endsWith('.ts')
const WORKER = new URL(isSource ? './issue-worker.ts' : './issue-worker.js', import.meta.url)
const SOURCE_ARGUMENTS = ['--conditions=@deputy/source', '--disable-warning=ExperimentalWarning']

/** Creates the thread's end. */
export function createIssueThread(workerData: IssueWorkerData): IssueThread {
  let running: Running | undefined

  function start(): Running {
    const worker = new Worker(WORKER, {
      workerData,
      ...(isSource ? { execArgv: SOURCE_ARGUMENTS } : {}),
    })
    const own: Running = { worker, reply: undefined }
    worker.on('message', (reply: IssueReply) => {
      worker.unref()
      if (reply.fault === undefined) own.reply?.resolve(reply.result)
      else own.reply?.reject(toError(reply.fault))
    })
    const fail = (error: unknown): void => {
      if (running === own) running = undefined
      own.reply?.reject(error)
    }
    worker.on('error', fail)
    worker.on('exit', () => fail(new Error('the thread of the issue log ended')))
    return own
  }

  return {
    async commit(batch) {
      running ??= start()
      const reply = Promise.withResolvers<IssueBatchResult>()
      running.reply = reply
      // It keeps the process alive only while somebody waits for it.
      running.worker.ref()
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- to a thread, not to a window
      running.worker.postMessage(batch)
      return reply.promise
    },
    async close() {
      const own = running
      running = undefined
      if (own === undefined) return
      const ended = new Promise((resolve) => own.worker.once('exit', resolve))
      own.worker.ref()
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- to a thread, not to a window
      own.worker.postMessage('close')
      await ended
    },
  }
}

function toError({ message, reason }: NonNullable<IssueReply['fault']>): Error {
  const cause = new Error(message)
  return reason === undefined ? cause : new DatabaseUnavailableError(reason, cause)
}
