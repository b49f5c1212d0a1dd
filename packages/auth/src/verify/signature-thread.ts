// The near end of a thread that checks signatures. What comes in one turn of the event loop is one message: the busier,
// the fewer messages a signature.
import { Worker } from 'node:worker_threads'
import type { KeyObject } from 'node:crypto'
import type { SignedText } from './signature-scheme.ts'

export type SignatureThread = {
  /** Answers `undefined` when the thread broke off before it knew. Never rejects. */
  verify(text: SignedText): Promise<boolean | undefined>
  /** Whether it is up. */
  isReady(): boolean
}

/** One message. Lines are `<index of the key> <algorithm> <jws>`: one text is copied faster than objects are. */
export type SignatureBatch = { readonly keys: readonly KeyObject[]; readonly lines: string }

/** What is answered: a character for each line, or `READY` once before the first. */
export const GOOD = '1'
export const BAD = '0'
export const READY = 'ready'

/** Who came first should not wait for all who came at the same time. */
const MAX_BATCH = 32

type Waiting = { readonly text: SignedText; readonly tell: (isGood: boolean | undefined) => void }

/** Run from source, types are stripped. */
const isSource = import.meta.url.endsWith('.ts')
const MODULE = new URL(
  isSource ? './signature-thread-main.ts' : './signature-thread-main.js',
  import.meta.url,
)

/** Starts the thread. Throws where none is allowed. */
export function createSignatureThread(module: URL = MODULE): SignatureThread {
  const worker = new Worker(
    module,
    isSource ? { execArgv: ['--disable-warning=ExperimentalWarning'] } : {},
  )
  worker.unref()
  let isReady = false
  let isOver = false
  /** Batches that are on their way, the first one first. */
  let sent: (readonly Waiting[])[] = []
  let waiting: Waiting[] = []

  worker.on('message', (answer: string) => {
    if (answer === READY) {
      isReady = true
      return
    }
    const answered = sent.shift() ?? []
    if (sent.length === 0) worker.unref()
    // Attack prevented: a text with a line break in it, to be answered with what is another text's.
    if (answer.length !== answered.length) {
      for (const { tell } of answered) tell(undefined)
      return
    }
    for (const [index, { tell }] of answered.entries()) tell(answer[index] === GOOD)
  })
  worker.on('error', giveUp)
  worker.on('exit', giveUp)

  function giveUp(): void {
    isOver = true
    isReady = false
    const left = [...sent.flat(), ...waiting]
    sent = []
    waiting = []
    for (const { tell } of left) tell(undefined)
  }

  /** At the end of the turn, or once there is so much that the thread should begin. */
  function add(one: Waiting): void {
    waiting.push(one)
    if (waiting.length >= MAX_BATCH) send()
    else if (waiting.length === 1) setImmediate(send)
  }

  function send(): void {
    if (waiting.length === 0) return
    const batch = waiting
    waiting = []
    sent.push(batch)
    worker.ref()
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- to a thread, not to a window
    worker.postMessage(toBatch(batch))
  }

  return {
    isReady: () => isReady,
    async verify(text) {
      if (isOver) return undefined
      return new Promise((tell) => {
        add({ text, tell })
      })
    },
  }
}

function toBatch(sent: readonly Waiting[]): SignatureBatch {
  const keys: KeyObject[] = []
  const lines = sent.map(({ text: { algorithm, jws, key } }) => {
    let index = keys.indexOf(key)
    if (index === -1) index = keys.push(key) - 1
    return `${String(index)} ${algorithm} ${jws}`
  })
  return { keys, lines: lines.join('\n') }
}
