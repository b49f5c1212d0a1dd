// The other end: what runs in the thread.
import { parentPort, receiveMessageOnPort, type Transferable } from 'node:worker_threads'
import { CLOSE } from './batch-thread.ts'

export type Answer<Reply> = { readonly reply: Reply; readonly transfer?: Transferable[] }

export type BatchService<Batch, Reply> = {
  /** Answers batches that came together: each with one reply, in their order, which leaves once it is made. */
  readonly answer: (batches: readonly Batch[]) => Iterable<Answer<Reply>>
  readonly onClose: () => void
}

/** Answers batches until the thread is to end. Must be called in a thread. */
export function serveBatches<Batch, Reply>(service: BatchService<Batch, Reply>): void {
  const { answer, onClose } = service
  if (parentPort === null) throw new Error('this runs as a thread of the authorization server')
  const port = parentPort
  port.on('message', (first: Batch | typeof CLOSE) => {
    const batches: Batch[] = []
    let message: Batch | typeof CLOSE | undefined = first
    // Also what came while the last ones were at work.
    while (message !== undefined && message !== CLOSE) {
      batches.push(message)
      const next: { message: Batch | typeof CLOSE } | undefined = receiveMessageOnPort(port)
      message = next?.message
    }
    if (batches.length > 0) {
      for (const { reply, transfer } of answer(batches)) port.postMessage(reply, transfer)
    }
    if (message !== CLOSE) return
    onClose()
    port.close()
  })
}
