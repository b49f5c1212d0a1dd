// What a message over WebSocket says beside path and input: tRPC's client has no place for it, so that it travels with
// the input until the message is written.
import type { Operation } from '@trpc/client'
import { readProgress, type CallProgress } from './links/call-progress.ts'

/** Members of a message's `params`, as the agent reads them. */
export type MessageParams = {
  /** How long the caller waits, in milliseconds from now. */
  readonly timeoutMs?: number | undefined
}

/** Name of the parameters in an operation's context. */
const CONTEXT_KEY = 'deputyMessageParams'

/** Notes parameters for the link that sends. Over HTTP they are not looked at: there are headers. */
export function withMessageParams(op: Operation, params: MessageParams): Operation {
  return { ...op, context: { ...op.context, [CONTEXT_KEY]: params } }
}

class Framed {
  readonly input: unknown
  readonly params: object
  readonly progress: CallProgress | undefined
  constructor(input: unknown, params: object, progress: CallProgress | undefined) {
    this.input = input
    this.params = params
    this.progress = progress
  }
}

/** Puts the parameters where the encoder finds them. */
export function frameParams(op: Operation): Operation {
  const params = op.context[CONTEXT_KEY]
  const progress = readProgress(op)
  const isNoted = typeof params === 'object' && params !== null
  if (!isNoted && progress === undefined) return op
  return { ...op, input: new Framed(op.input, isNoted ? params : {}, progress) }
}

/** Writes and reads messages as JSON. */
export const framedEncoder = Object.freeze({
  encode: (data: unknown): string =>
    JSON.stringify(Array.isArray(data) ? data.map(unframe) : unframe(data)),
  decode(text: unknown): unknown {
    if (typeof text !== 'string') throw new TypeError('messages of an agent are text')
    return JSON.parse(text)
  },
})

function unframe(message: unknown): unknown {
  if (typeof message !== 'object' || message === null || !('params' in message)) return message
  const { params } = message
  if (typeof params !== 'object' || params === null || !('input' in params)) return message
  const { input } = params
  if (!(input instanceof Framed)) return message
  // Written as soon as there is a connection, and not before.
  input.progress?.noteSent()
  return { ...message, params: { ...params, ...input.params, input: input.input } }
}
