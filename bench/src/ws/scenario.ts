// What is sent over a WebSocket, to Deputy and to tRPC's own server alike.
import { TEXT } from '../calls/scenario.ts'

/** Values of one subscription, which then ends. */
export const MESSAGES = 100

export type WebSocketRequest = {
  readonly method: 'query' | 'subscription'
  readonly path: string
  readonly input: object
  /** What its last answer contains. */
  readonly end: string
  /** What it counts for. */
  readonly counts: number
  /** How many are under way on each connection. */
  readonly atOnce: number
}

/** One call, answered with what it was given. */
export const CALL: WebSocketRequest = {
  method: 'query',
  path: 'echo',
  input: { text: TEXT },
  end: '"data"',
  counts: 1,
  atOnce: 1,
}

/** The same, of eight callers that share a connection. */
export const CALLS: WebSocketRequest = { ...CALL, atOnce: 8 }

/** One subscription, of which each value is counted. */
export const STREAM: WebSocketRequest = {
  method: 'subscription',
  path: 'stream',
  input: { text: TEXT, count: MESSAGES },
  end: '"stopped"',
  counts: MESSAGES,
  atOnce: 1,
}

/** One subscription on which nothing comes. */
export const IDLE: WebSocketRequest = {
  method: 'subscription',
  path: 'idle',
  input: {},
  end: '"started"',
  counts: 1,
  atOnce: 1,
}

export function toMessage({ input, method, path }: WebSocketRequest, id: number): string {
  return JSON.stringify({ id, method, params: { path, input } })
}
