// The server's end of a thread that answers batches, in their order. It is started with the first batch, and
// again after it broke off; it keeps the process alive only while somebody waits for it.
import { Worker } from 'node:worker_threads'

export type BatchThread<Batch, Reply> = {
  /** Sends one batch, behind those that are under way. Rejects when the thread ended without a reply. */
  send(batch: Batch): Promise<Reply>
  /** Ends the thread after what it is at. */
  close(): Promise<void>
}

export type BatchThreadOptions = {
  /** Says in errors which thread it was. */
  readonly name: string
  /** The worker's module, by the name of its source. */
  readonly source: URL
  readonly workerData?: unknown
}

/** Run from source, types are stripped and packages are found by their sources. */
const isSource = import.meta.url.endsWith('.ts')
const SOURCE_ARGUMENTS = ['--conditions=@deputy/source', '--disable-warning=ExperimentalWarning']

/** What ends the thread; every other message is a batch. */
export const CLOSE = 'close'

type Running<Reply> = {
  readonly worker: Worker
  /** Of the batches under way, the oldest first: the thread answers in this order. */
  readonly replies: PromiseWithResolvers<Reply>[]
}

/** Creates the thread's end. */
export function createBatchThread<Batch, Reply>(
  options: BatchThreadOptions,
): BatchThread<Batch, Reply> {
  const { name, source, workerData } = options
  const module = isSource ? source : new URL(source.href.replace(/\.ts$/, '.js'))
  let running: Running<Reply> | undefined

  function start(): Running<Reply> {
    const worker = new Worker(module, {
      workerData,
      ...(isSource ? { execArgv: SOURCE_ARGUMENTS } : {}),
    })
    const own: Running<Reply> = { worker, replies: [] }
    worker.on('message', (reply: Reply) => {
      const first = own.replies.shift()
      if (own.replies.length === 0) worker.unref()
      first?.resolve(reply)
    })
    const fail = (error: unknown): void => {
      if (running === own) running = undefined
      for (const { reject } of own.replies.splice(0)) reject(error)
    }
    worker.on('error', fail)
    worker.on('exit', () => fail(new Error(`${name} ended`)))
    return own
  }

  return {
    async send(batch) {
      running ??= start()
      const { replies, worker } = running
      if (replies.length === 0) worker.ref()
      const reply = Promise.withResolvers<Reply>()
      replies.push(reply)
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- to a thread, not to a window
      worker.postMessage(batch)
      return reply.promise
    },
    async close() {
      const own = running
      running = undefined
      if (own === undefined) return
      const ended = new Promise((resolve) => own.worker.once('exit', resolve))
      own.worker.ref()
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- to a thread, not to a window
      own.worker.postMessage(CLOSE)
      await ended
    },
  }
}
