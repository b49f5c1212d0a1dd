// The far end: what runs in the thread.
import type { KeyObject } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { isAlgorithm, isSignatureOf } from './signature-scheme.ts'
import { BAD, GOOD, READY, type SignatureBatch } from './signature-thread.ts'

if (parentPort === null) throw new Error('this runs as a thread')
const port = parentPort

/** Throws for what is no line, which ends the thread: an answer must never be taken for that of another line. */
function check(line: string, keys: readonly KeyObject[]): string {
  const [, index, algorithm, jws] = LINE.exec(line) ?? []
  const key = keys[Number(index)]
  if (jws === undefined || key === undefined || !isAlgorithm(algorithm)) {
    throw new TypeError('this is no line of a batch')
  }
  return isSignatureOf({ jws, key, algorithm }) ? GOOD : BAD
}

const LINE = /^(\d+) (\w+) (\S+)$/

port.on('message', ({ keys, lines }: SignatureBatch) => {
  const answers = lines.split('\n').map((line) => check(line, keys))
  port.postMessage(answers.join(''))
})
port.postMessage(READY)
