// What a client says: one message or a batch of them, by tRPC's protocol (https://trpc.io/docs/rpc#websockets).
import { TRPCError } from '@trpc/server'
import type { AnyTRPCRouter } from '@trpc/server'
import { parseTRPCMessage, type TRPCClientOutgoingMessage } from '@trpc/server/rpc'
import { isNestedDeeper, tooDeep } from '../limits/json-depth.ts'

/** A call, or the end of one. */
export type ClientMessage = TRPCClientOutgoingMessage & {
  /** How long the caller waits from now, as it was sent: whoever begins the call's deadline checks it. */
  readonly timeoutMs?: unknown
}

export type ReadMessagesOptions = {
  readonly router: AnyTRPCRouter
  readonly maxJsonDepth: number
  readonly maxBatchSize: number
}

/**
 * Messages, or what is to be answered instead: to the ids of a batch that is too large, else to nobody (`null`).
 * `count` is how many there were, good or bad.
 */
export type ReadMessages = { readonly count: number } & (
  | { readonly messages: readonly ClientMessage[] }
  | { readonly error: TRPCError; readonly ids: readonly (string | number | null)[] }
)

/** Reads a text. Never throws. */
export function readMessages(text: string, options: ReadMessagesOptions): ReadMessages {
  const { maxBatchSize, maxJsonDepth, router } = options
  const nobody = [null]
  if (isNestedDeeper(text, maxJsonDepth)) {
    return { count: 1, error: tooDeep(maxJsonDepth), ids: nobody }
  }
  let count = 1
  try {
    const json: unknown = JSON.parse(text)
    const list: readonly unknown[] = Array.isArray(json) ? json : [json]
    count = list.length
    if (list.length > maxBatchSize) {
      const message = `no more than ${String(maxBatchSize)} calls fit into one message`
      const ids = list.flatMap(readId)
      const error = new TRPCError({ code: 'BAD_REQUEST', message })
      return { count, error, ids: ids.length === 0 ? nobody : ids }
    }
    const { transformer } = router._def._config
    return {
      count,
      messages: list.map((one) => {
        const message = parseTRPCMessage(one, transformer)
        const timeoutMs = readTimeout(one)
        return timeoutMs === undefined ? message : Object.assign(message, { timeoutMs })
      }),
    }
  } catch (cause) {
    // V8's message quotes the text.
    const message = 'the message is not JSON of a tRPC client'
    return { count, error: new TRPCError({ code: 'PARSE_ERROR', message, cause }), ids: nobody }
  }
}

/** The id of a call, if it can be answered. */
function readId(value: unknown): readonly (string | number)[] {
  if (typeof value !== 'object' || value === null) return []
  const id: unknown = Reflect.get(value, 'id')
  return typeof id === 'string' || typeof id === 'number' ? [id] : []
}

function readTimeout(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('params' in value)) return undefined
  const { params } = value
  return typeof params === 'object' && params !== null && 'timeoutMs' in params
    ? params.timeoutMs
    : undefined
}
