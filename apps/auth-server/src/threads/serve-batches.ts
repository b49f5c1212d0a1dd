// The other end: what runs in the thread.
import { parentPort, type Transferable } from 'node:worker_threads'
import { CLOSE } from './batch-thread.ts'

export type Answer<Reply> = { readonly reply: Reply; readonly transfer?: Transferable[] }

export type BatchService<Batch, Reply> = {
  readonly answer: (batch: Batch) => Answer<Reply>
  readonly onClose: () => void
}

/** Answers each batch until the thread is to end. Must be called in a thread. */
export function serveBatches<Batch, Reply>(service: BatchService<Batch, Reply>): void {
  const { answer, onClose } = service
  if (parentPort === null) throw new Error('this runs as a thread of the authorization server')
  const port = parentPort
  port.on('message', (batch: Batch | typeof CLOSE) => {
    if (batch === CLOSE) {
      onClose()
      port.close()
      return
    }
    const { reply, transfer } = answer(batch)
    port.postMessage(reply, transfer)
  })
}
