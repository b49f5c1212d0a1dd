// The agent's end of the thread that reads documents, one after the other. A file may be made to take a parser minutes, or all
// the memory there is: it costs the thread, which is replaced, and the agent goes on answering. The thread is started with
// the first document and ended when it has had nothing to do for a while.
import { Worker } from 'node:worker_threads'
import type { DocumentLines, DocumentParser, ReadDocument } from './document-parser.ts'

/** What is asked of the thread, and what it answers: one message for each. */
export type ReadingRequest = { readonly act: 'readDocument' | 'readLines'; readonly path: string }
export type ReadingReply =
  | { readonly ok: true; readonly value: ReadDocument | DocumentLines }
  | { readonly ok: false; readonly error: Error }

/** A document that takes more than it may. Its message says of what. */
export class ReadingLimitError extends Error {
  override name = 'ReadingLimitError'
}

export type ReadingThreadOptions = {
  /** For one document. Default 30. */
  readonly maxSeconds?: number
  /** Of the thread's heap. Default 512. */
  readonly maxHeapMib?: number
}

/** A thread has some 40 MiB to itself, which an agent that reads nothing new can do without. */
const IDLE_MS = 10_000

/** Run from source, types are stripped. */
const isSource = import.meta.url.endsWith('.ts')
const MODULE = new URL(isSource ? './reading-worker.ts' : './reading-worker.js', import.meta.url)
const SOURCE_ARGUMENTS = ['--conditions=@deputy/source', '--disable-warning=ExperimentalWarning']

type Waiting = {
  readonly request: ReadingRequest
  readonly settle: PromiseWithResolvers<ReadDocument | DocumentLines>
}

/** Creates the thread's end. */
export function createReadingThread(options: ReadingThreadOptions = {}): DocumentParser {
  const { maxHeapMib = 512, maxSeconds = 30 } = options
  const waiting: Waiting[] = []
  let worker: Worker | undefined
  let current: Waiting | undefined
  let timer: NodeJS.Timeout | undefined
  let isClosed = false

  function start(): Worker {
    const own = new Worker(MODULE, {
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMib },
      ...(isSource ? { execArgv: SOURCE_ARGUMENTS } : {}),
    })
    own.on('message', (reply: ReadingReply) => {
      if (own !== worker) return
      if (reply.ok) finish(({ settle }) => settle.resolve(reply.value))
      else finish(({ settle }) => settle.reject(reply.error))
    })
    const fail = (error: Error): void => {
      if (own === worker) end(toLimitError(error, maxHeapMib))
    }
    own.on('error', fail)
    own.on('exit', () => fail(new Error('the thread that reads documents ended')))
    return own
  }

  /** Settles what is under way, and goes on with the next one. */
  function finish(settle: (done: Waiting) => void): void {
    clearTimeout(timer)
    const done = current
    current = undefined
    if (done !== undefined) settle(done)
    readNext()
  }

  /** Gives the thread up. */
  function end(error: Error): void {
    void worker?.terminate()
    worker = undefined
    finish(({ settle }) => settle.reject(error))
  }

  function readNext(): void {
    if (current !== undefined) return
    current = waiting.shift()
    if (current === undefined) {
      worker?.unref()
      if (worker !== undefined) timer = setTimeout(rest, IDLE_MS).unref()
      return
    }
    clearTimeout(timer)
    try {
      worker ??= start()
    } catch (error) {
      // There may be no more threads: the next one who asks may have one.
      finish(({ settle }) => settle.reject(error))
      return
    }
    worker.ref()
    const why = `it takes more than ${String(maxSeconds)} seconds to read`
    timer = setTimeout(() => end(new ReadingLimitError(why)), maxSeconds * 1000)
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- to a thread, not to a window
    worker.postMessage(current.request)
  }

  function rest(): void {
    void worker?.terminate()
    worker = undefined
  }

  async function read(request: ReadingRequest): Promise<ReadDocument | DocumentLines> {
    if (isClosed) throw new Error('no more documents are read')
    const settle = Promise.withResolvers<ReadDocument | DocumentLines>()
    waiting.push({ request, settle })
    readNext()
    return settle.promise
  }

  return {
    // oxlint-disable typescript/no-unsafe-type-assertion -- the thread answers what it is asked
    readDocument: async (path) => (await read({ act: 'readDocument', path })) as ReadDocument,
    readLines: async (path) => (await read({ act: 'readLines', path })) as DocumentLines,
    // oxlint-enable typescript/no-unsafe-type-assertion
    async close() {
      isClosed = true
      const ended = worker?.terminate()
      worker = undefined
      const left = waiting.splice(0)
      if (current !== undefined) left.push(current)
      current = undefined
      clearTimeout(timer)
      for (const { settle } of left) settle.reject(new Error('no more documents are read'))
      await ended
    },
  }
}

function toLimitError(error: Error, maxHeapMib: number): Error {
  const isMemory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
  return isMemory
    ? new ReadingLimitError(`it takes more than ${String(maxHeapMib)} MiB of memory to read`)
    : error
}
