// What a message over WebSocket says beside path and input: tRPC's client has no place for it, so that it travels with
// the input until the message is written.
import type { Operation } from '@trpc/client'
import { toInputText } from './input-text.ts'
import { readProgress, type CallProgress } from './links/call-progress.ts'
import { splitBatch } from './split-batch.ts'

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

/** What of a message is known before it is written: its input as text, and what stands beside it. */
class Framed {
  readonly inputText: string | undefined
  readonly params: object
  readonly progress: CallProgress | undefined
  /** The message that it was written into. */
  sent: { readonly id: number; readonly socket: WebSocket | undefined } | undefined
  constructor(inputText: string | undefined, params: object, progress: CallProgress | undefined) {
    this.inputText = inputText
    this.params = params
    this.progress = progress
  }
}

/**
 * Writes the input, and puts the parameters where the encoder finds them. Throws a `ClientError` for an input that is no
 * JSON: messages of one moment leave as one text, which would take all others with it.
 */
export function frameParams(op: Operation): Operation {
  const params = op.context[CONTEXT_KEY]
  const beside = typeof params === 'object' && params !== null ? params : {}
  return { ...op, input: new Framed(toInputText(op.input), beside, readProgress(op)) }
}

/** Whether a framed call was written, so that it may be carried out. */
export function isWritten({ input }: Pick<Operation, 'input'>): boolean {
  return input instanceof Framed && input.sent !== undefined
}

/**
 * Tells the agent that nobody waits for a framed call any more: over HTTP the end of its request does, and tRPC's client
 * says it of subscriptions alone. On the socket that the call was written on, which is not the newest one while an agent
 * shuts down.
 */
export function cancelCall({ input }: Pick<Operation, 'input'>): void {
  const { id, socket } = (input instanceof Framed ? input.sent : undefined) ?? {}
  if (socket === undefined || socket.readyState !== socket.OPEN) return
  socket.send(JSON.stringify({ id, method: 'subscription.stop' }))
}

/**
 * Creates what writes and reads messages as JSON: a line for each, where those of one moment are too many for one
 * (`line-socket.ts`). @param findSocket the socket that what is written goes to
 */
export function createFramedEncoder(findSocket: () => WebSocket | undefined) {
  const toText = (message: unknown): string => writeMessage(message, findSocket)
  return Object.freeze({
    encode: (data: unknown): string =>
      Array.isArray(data) ? toLines(data.map(toText)) : toText(data),
    decode(text: unknown): unknown {
      if (typeof text !== 'string') throw new TypeError('messages of an agent are text')
      return JSON.parse(text)
    },
  })
}

function toLines(messages: readonly string[]): string {
  const batches = splitBatch(messages, { toChars: ({ length }) => length + 1 })
  return batches.map((texts) => `[${texts.join()}]`).join('\n')
}

function writeMessage(message: unknown, findSocket: () => WebSocket | undefined): string {
  if (typeof message !== 'object' || message === null || !('params' in message)) {
    return JSON.stringify(message)
  }
  const { params } = message
  if (typeof params !== 'object' || params === null || !('input' in params)) {
    return JSON.stringify(message)
  }
  const { input } = params
  if (!(input instanceof Framed)) return JSON.stringify(message)
  // Written as soon as there is a connection, and not before.
  input.progress?.noteSent()
  if ('id' in message && typeof message.id === 'number') {
    input.sent = { id: message.id, socket: findSocket() }
  }
  const { inputText, params: beside } = input
  const written = withMember({ ...params, ...beside, input: undefined }, 'input', inputText)
  return withMember({ ...message, params: undefined }, 'params', written)
}

/** An object, which has members already, as JSON with one more that is JSON already. */
function withMember(object: object, name: string, text: string | undefined): string {
  const json = JSON.stringify(object)
  return text === undefined ? json : `${json.slice(0, -1)},"${name}":${text}}`
}
