// Checks signatures off the thread that answers: a check takes longer than all of a call. Few go to libuv's threads; many,
// to a thread that takes all that came meanwhile in one message (docs/adr/0041).
import { isSignatureOfOnPool, type SignedText } from './signature-scheme.ts'
import { createSignatureThread, type SignatureThread } from './signature-thread.ts'

/** Whether the signature is the key's. The algorithm must fit the key. Rejects for no signature. */
export type VerifySignature = (text: SignedText) => Promise<boolean>

export type SignatureVerifierOptions = {
  /** Starts the thread. Default: one of this process. */
  readonly startThread?: (() => SignatureThread) | undefined
}

/** So many at once are many: a thread is started for them. */
const MANY = 8

/**
 * Creates the check. The thread is there from the first time that many signatures are checked at once; it keeps no
 * process alive. Where there can be none, or it broke off, libuv's threads do all of it, and nobody is refused for that.
 */
export function createSignatureVerifier(options: SignatureVerifierOptions = {}): VerifySignature {
  const { startThread = createSignatureThread } = options
  let underWay = 0
  let thread: SignatureThread | undefined
  let isBroken = false

  function findThread(): SignatureThread | undefined {
    if (isBroken) return undefined
    if (thread === undefined && underWay > MANY) {
      try {
        thread = startThread()
      } catch {
        // No thread is allowed here (`--permission`).
        isBroken = true
      }
    }
    return thread?.isReady() === true ? thread : undefined
  }

  async function verify(text: SignedText): Promise<boolean> {
    const ready = findThread()
    if (ready === undefined) return isSignatureOfOnPool(text)
    const verified = await ready.verify(text)
    if (verified !== undefined) return verified
    isBroken = true
    return isSignatureOfOnPool(text)
  }

  return async (text) => {
    underWay += 1
    try {
      return await verify(text)
    } finally {
      underWay -= 1
    }
  }
}

/** One for all verifiers of a process: they share its processors. */
export const verifySignature: VerifySignature = createSignatureVerifier()
