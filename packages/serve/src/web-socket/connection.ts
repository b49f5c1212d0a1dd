// One WebSocket connection: tRPC's protocol (https://trpc.io/docs/rpc#websockets) through tRPC's public exports.
// Ours rather than tRPC's adapter because a call has to meet the authority of its moment, and a slow reader its limit.
import { CLOSE_CODE, REAUTHENTICATE_PATH } from '@deputy/auth/protocol'
import {
  AuthError,
  type AgentContextRequest,
  type CallDeadlines,
  type ConnectionContext,
} from '@deputy/auth/trpc'
import type { Principal } from '@deputy/auth'
import { getTRPCErrorFromUnknown, TRPCError, type AnyTRPCRouter } from '@trpc/server'
import { parseConnectionParamsFromUnknown } from '@trpc/server/http'
import type { RawData } from 'ws'
import { createCalls } from './calls.ts'
import { isNestedDeeper } from '../limits/json-depth.ts'
import type { RunProcedure } from '../plain-calls/procedure-runner.ts'
import { createMessageRate } from './message-rate.ts'
import { closeSocket, createOutbox, cutLater, type OpenSocket } from './outbox.ts'
import { readMessages, type ClientMessage } from './read-message.ts'
import { createRespond, type OnError } from './respond.ts'
import type { WebSocketLimits } from './web-socket-limits.ts'

export type ConnectionOptions = {
  readonly router: AnyTRPCRouter
  /** Runs a call of the router. */
  readonly runCall: RunProcedure
  readonly createContext: (request: AgentContextRequest) => ConnectionContext
  readonly limits: WebSocketLimits
  readonly maxBatchSize: number
  /** Told of every error that is answered. Default: nobody. */
  readonly onError?: OnError | undefined
  /** How long calls may take. Default: as long as they like. */
  readonly deadlines?: CallDeadlines | undefined
  /** Takes a connection of this agent up; `undefined` when it has too many. What it answers lets it go. */
  readonly admit: (agentId: string) => (() => void) | undefined
}

export type Connection = {
  /** Pings, and ends a connection whose peer is gone or has nothing to say. Called every `pingEveryMs`. */
  sweep(nowMs: number): void
  /** Asks the client to connect elsewhere. */
  notify(): void
  close(code: number, reason: string): void
}

/** What a connection began with. */
export type Handshake = AgentContextRequest['req']

type ConnectionParams = ReturnType<typeof parseConnectionParamsFromUnknown>

/** What is under way when the authority ends is answered first, unless that takes longer than this. */
const CLOSE_AFTER_MS = 25

/** Credentials and what goes with them: as much as the header fields of a request may be. */
const MAX_PARAMETERS_CHARS = 16 * 1024

/** Tokens presented on a connection that may wait to be verified: a client presents one, and waits. */
const MAX_PRESENTED = 4

function tooManyPresented(): AuthError {
  return new AuthError({ reason: 'too_many_calls', maxCalls: MAX_PRESENTED, retryAfterSeconds: 1 })
}

/** Serves one connection until it is closed. */
export function serveConnection(
  open: OpenSocket,
  req: Handshake,
  options: ConnectionOptions,
): Connection {
  const { admit, createContext, limits, maxBatchSize, router } = options
  const { maxJsonDepth } = limits
  const { socket } = open
  const outbox = createOutbox(open, { ...limits, onRead: hear })
  const respond = createRespond(router, outbox, options.onError)
  const rate = createMessageRate(limits.maxMessagesPerSecond)
  const takesParameters = (req.url ?? '').includes('connectionParams=1')
  const calls = createCalls({
    router,
    runCall: options.runCall,
    limits,
    outbox,
    respond,
    onIdle,
    deadlines: options.deadlines,
  })
  let context: ConnectionContext | undefined
  let leave: (() => void) | undefined
  /** Tokens that are being verified. */
  let presented = 0
  let isHeard = true
  let activeAtMs = performance.now()
  let ending: string | undefined
  const unauthenticated = setTimeout(() => {
    close(CLOSE_CODE.unauthenticated, 'no good credentials were sent in time')
  }, limits.authenticateWithinMs).unref()

  function close(code: number, reason: string): void {
    closeSocket(socket, code, reason)
  }

  function hear(): void {
    isHeard = true
  }

  function onIdle(): void {
    activeAtMs = performance.now()
    if (ending !== undefined) close(CLOSE_CODE.unauthenticated, ending)
  }

  function begin(connectionParams: ConnectionParams): void {
    const begun = createContext({ req, info: { connectionParams } })
    context = admitFirst(begun)
    begun.watch(({ reason }) => {
      ending = reason
      if (calls.size === 0) close(CLOSE_CODE.unauthenticated, reason)
      else setTimeout(() => close(CLOSE_CODE.unauthenticated, reason), CLOSE_AFTER_MS).unref()
    })
    // A refusal is told to each call; without a good credential in time the connection ends.
    greet(begun).catch(onBug)
  }

  /**
   * The context of calls that come before the connection is admitted: the first of them admits it, and none is begun on
   * one that is not.
   *
   * Attack prevented: connections beyond the limit, each with as many calls behind its handshake as a batch has.
   */
  function admitFirst(begun: ConnectionContext): ConnectionContext {
    return {
      ...begun,
      async limit(principal) {
        onAuthenticated(principal)
        if (!outbox.isOpen) throw new AuthError({ reason: 'rate_limited', retryAfterSeconds: 1 })
        return begun.limit(principal)
      },
    }
  }

  async function greet(begun: ConnectionContext): Promise<void> {
    const authenticated = await begun.authenticate()
    if (!authenticated.ok) return
    onAuthenticated(authenticated.value)
    context = begun
  }

  function onAuthenticated({ agentId }: Principal): void {
    clearTimeout(unauthenticated)
    if (leave !== undefined || socket.readyState !== socket.OPEN) return
    leave = admit(agentId)
    if (leave === undefined) {
      close(CLOSE_CODE.tooManyConnections, 'this agent has too many connections')
    }
  }

  function onBug(cause: unknown): void {
    respond.error({ id: null, error: getTRPCErrorFromUnknown(cause), context })
    close(1011, 'the agent failed')
  }

  /** Whether so many more messages are within the rate; if not, the connection is closed. */
  function isInRate(count: number): boolean {
    const isWithin = rate.take(count, performance.now())
    if (!isWithin) close(CLOSE_CODE.tooManyMessages, 'too many messages')
    return isWithin
  }

  function onMessage(data: RawData, isBinary: boolean): void {
    isHeard = true
    // What comes behind the message for which the connection is being closed is nobody's any more.
    if (!outbox.isOpen || !isInRate(1)) return
    const text = isBinary || !Buffer.isBuffer(data) ? undefined : data.toString('utf8')
    if (text === 'PING') outbox.send('PONG')
    else if (text === undefined) {
      const error = new TRPCError({ code: 'PARSE_ERROR', message: 'messages are text' })
      respond.error({ id: null, error, context })
    } else if (text !== 'PONG') onText(text)
  }

  function onText(text: string): void {
    if (context === undefined) {
      beginWith(text)
      return
    }
    activeAtMs = performance.now()
    const read = readMessages(text, { router, maxJsonDepth, maxBatchSize })
    if (read.count > 1 && !isInRate(read.count - 1)) return
    if ('error' in read) {
      for (const id of read.ids) respond.error({ id, error: read.error, context })
      return
    }
    for (const [at, message] of read.messages.entries()) onCall(message, at, context)
  }

  /** The first message says who is there. */
  function beginWith(text: string): void {
    try {
      if (text.length > MAX_PARAMETERS_CHARS || isNestedDeeper(text, maxJsonDepth)) {
        throw new TypeError('larger than credentials are')
      }
      const json: unknown = JSON.parse(text)
      const data: unknown = typeof json === 'object' && json !== null && Reflect.get(json, 'data')
      begin(parseConnectionParamsFromUnknown(data))
    } catch {
      const message = 'the first message must be tRPC’s connectionParams'
      const error = new TRPCError({ code: 'PARSE_ERROR', message })
      respond.error({ id: null, error, context })
      close(CLOSE_CODE.unauthenticated, message)
    }
  }

  function onCall(message: ClientMessage, at: number, current: ConnectionContext): void {
    const isCall = message.method !== 'subscription.stop'
    if (!isCall || message.params.path !== REAUTHENTICATE_PATH) {
      calls.take(message, at, current)
      return
    }
    reauthenticate(message, current).catch(onBug)
  }

  async function reauthenticate(
    { id, jsonrpc, params }: Extract<ClientMessage, { params: unknown }>,
    current: ConnectionContext,
  ): Promise<void> {
    const call = {
      id,
      jsonrpc,
      context: current,
      path: REAUTHENTICATE_PATH,
      type: 'mutation',
    } as const
    presented += 1
    try {
      if (presented > MAX_PRESENTED) throw tooManyPresented()
      const headers = parseConnectionParamsFromUnknown(params.input) ?? {}
      const admitted = await current.present((name) => headers[name])
      if (!admitted.ok) throw new AuthError(admitted.refusal)
      onAuthenticated(admitted.value)
      const { expiresAt } = admitted.value
      respond.result(call, { type: 'data', data: { expiresAt: expiresAt ?? null } })
    } catch (error) {
      respond.error({ ...call, error: getTRPCErrorFromUnknown(error) })
    } finally {
      presented -= 1
    }
  }

  socket.on('message', onMessage)
  // A ping is answered by `ws` itself, which holds few answers that are not read.
  for (const event of ['ping', 'pong'] as const) {
    socket.on(event, () => {
      hear()
      if (outbox.isOpen) isInRate(1)
    })
  }
  socket.on('error', () => {
    cutLater(socket)
  })
  socket.once('close', () => {
    clearTimeout(unauthenticated)
    leave?.()
    context?.close()
    calls.abortAll()
    outbox.close()
  })
  if (!takesParameters) begin(null)

  return {
    sweep(nowMs) {
      // What is not read while it is congested cannot be heard; the outbox has a limit of its own.
      if (!isHeard && !outbox.isCongested) socket.terminate()
      else if (calls.size === 0 && nowMs - activeAtMs > limits.idleTimeoutMs) {
        close(CLOSE_CODE.idle, 'nothing happened for too long')
      } else if (socket.readyState === socket.OPEN) {
        isHeard = false
        socket.ping()
      }
    },
    notify() {
      outbox.send(JSON.stringify({ id: null, method: 'reconnect' }))
    },
    close,
  }
}
