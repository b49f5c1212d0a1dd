// The other end: what runs in the thread. It is asked for one document at a time.
import { parentPort } from 'node:worker_threads'
import { readDocument, readLines } from './read-document.ts'
import type { ReadingReply, ReadingRequest } from './reading-thread.ts'

if (parentPort === null) throw new Error('this runs as a thread of the research agent')
const port = parentPort

async function read({ act, path }: ReadingRequest): Promise<ReadingReply> {
  try {
    const value = act === 'readDocument' ? await readDocument(path) : await readLines(path)
    return { ok: true, value }
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error : new Error(String(error)) }
  }
}

port.on('message', (request: ReadingRequest) => {
  void read(request).then((reply) => port.postMessage(reply))
})
