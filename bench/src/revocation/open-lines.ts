// A caller of one agent: calls at a steady rate, an open WebSocket and an open SSE stream, each with the
// same token, and when each of them was turned away.
import { setTimeout as delay } from 'node:timers/promises'

/** When it ended, by `performance.now()`. */
export type Ends = {
  readonly lastAcceptedMs: number
  readonly streamEndedMs: number
  readonly socketClosedMs: number
}

export type OpenLines = {
  /** Resolves once the stream and the socket are open and a call was accepted. */
  readonly opened: Promise<void>
  /** Resolves when all three were turned away. */
  readonly ended: Promise<Ends>
}

/** Between two calls to the agent: with three agents, 200 calls a second. */
const CALL_EVERY_MS = 15

/** Beyond this something is wrong, and not slow. */
const PATIENCE_MS = 20_000

/** Opens the lines. `ended` rejects when an agent goes on accepting for too long. */
export function openLines(url: string, token: string): OpenLines {
  const authorization = `Bearer ${token}`
  const called = Promise.withResolvers<void>()
  const calls = callOn(url, authorization, called.resolve)
  const stream = openStream(url, authorization)
  const socket = openSocket(url, authorization)
  return {
    opened: Promise.all([called.promise, stream.opened, socket.opened]).then(() => undefined),
    ended: Promise.all([calls, stream.ended, socket.ended]).then(
      ([lastAcceptedMs, streamEndedMs, socketClosedMs]) => ({
        lastAcceptedMs,
        streamEndedMs,
        socketClosedMs,
      }),
    ),
  }
}

/** Calls at a steady rate, however long each takes, and answers when the last one was accepted. */
async function callOn(url: string, authorization: string, onAccepted: () => void): Promise<number> {
  const giveUpMs = performance.now() + PATIENCE_MS
  const under: Promise<void>[] = []
  const seen = { lastAcceptedMs: 0, isRefused: false }
  const call = async (): Promise<void> => {
    const response = await fetch(`${url}/trpc/ping`, { headers: { authorization } })
    await response.arrayBuffer()
    if (response.status === 401) seen.isRefused = true
    else if (response.ok) {
      seen.lastAcceptedMs = performance.now()
      onAccepted()
    } else throw new Error(`${url} answered ${String(response.status)}`)
  }
  while (!seen.isRefused) {
    if (performance.now() > giveUpMs) throw new Error(`${url} accepts what was revoked`)
    under.push(call())
    await delay(CALL_EVERY_MS)
  }
  await Promise.all(under)
  return seen.lastAcceptedMs
}

function openStream(url: string, authorization: string) {
  const opened = Promise.withResolvers<void>()
  const read = async (): Promise<number> => {
    const response = await fetch(`${url}/trpc/wait`, {
      headers: { authorization, accept: 'text/event-stream' },
    })
    if (!response.ok || response.body === null) throw new Error(`${url} gave no stream`)
    let text = ''
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      text += chunk
      if (text.includes('open')) opened.resolve()
      if (text.includes('token_revoked')) break
    }
    return performance.now()
  }
  return { opened: opened.promise, ended: read() }
}

function openSocket(url: string, authorization: string) {
  const opened = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<number>()
  const socket = new WebSocket(`${url.replace('http', 'ws')}/trpc?connectionParams=1`)
  socket.addEventListener('open', () => {
    socket.send(JSON.stringify({ method: 'connectionParams', data: { authorization } }))
    socket.send(JSON.stringify({ id: 1, method: 'subscription', params: { path: 'wait' } }))
  })
  socket.addEventListener('message', ({ data }) => {
    if (String(data).includes('open')) opened.resolve()
  })
  socket.addEventListener('close', () => ended.resolve(performance.now()))
  return { opened: opened.promise, ended: ended.promise }
}
