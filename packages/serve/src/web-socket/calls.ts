// The calls and subscriptions under way on one connection.
import { AuthError, CallRefusal, type AgentContext } from '@deputy/auth/trpc'
import {
  callTRPCProcedure,
  getTRPCErrorFromUnknown,
  TRPCError,
  type AnyTRPCRouter,
} from '@trpc/server'
import type { Outbox } from './outbox.ts'
import type { ClientMessage } from './read-message.ts'
import type { Answered, Respond } from './respond.ts'
import { deliver } from './subscription.ts'
import type { WebSocketLimits } from './web-socket-limits.ts'

export type CallsOptions = {
  readonly router: AnyTRPCRouter
  readonly limits: Pick<WebSocketLimits, 'maxCallsUnderWay' | 'maxSubscriptions'>
  readonly outbox: Outbox
  readonly respond: Respond
  /** Told when the last one has ended. */
  readonly onIdle: () => void
}

export type Calls = {
  /** Begins a call, or ends the one that the message names. Never throws. */
  take(message: ClientMessage, batchIndex: number, context: AgentContext): void
  readonly size: number
  abortAll(): void
}

type CallMessage = Extract<ClientMessage, { params: unknown }>

/** Creates the calls of one connection. */
export function createCalls(options: CallsOptions): Calls {
  const { limits, onIdle, outbox, respond, router } = options
  const underWay = new Map<string | number, AbortController>()
  let subscriptions = 0

  function findRefusal(id: string | number, isSubscription: boolean): TRPCError | undefined {
    if (underWay.has(id)) {
      const message = `a call with the id ${JSON.stringify(id).slice(0, 40)} is under way`
      return new TRPCError({ code: 'BAD_REQUEST', message })
    }
    if (underWay.size >= limits.maxCallsUnderWay) {
      return new AuthError({
        reason: 'too_many_calls',
        maxCalls: limits.maxCallsUnderWay,
        retryAfterSeconds: 1,
      })
    }
    if (isSubscription && subscriptions >= limits.maxSubscriptions) {
      return new AuthError({ reason: 'too_many_streams', maxStreams: limits.maxSubscriptions })
    }
    return undefined
  }

  async function run(message: CallMessage, batchIndex: number, call: Answered): Promise<void> {
    const { id, method: type, timeoutMs } = message
    const isSubscription = type === 'subscription'
    const refusal = id === null ? noId() : findRefusal(id, isSubscription)
    if (refusal !== undefined || id === null) {
      respond.error({ ...call, error: refusal ?? noId() })
      return
    }
    const controller = new AbortController()
    const { signal } = controller
    underWay.set(id, controller)
    if (isSubscription) subscriptions += 1
    let timer: ReturnType<typeof setTimeout> | undefined
    if (timeoutMs !== undefined && !isSubscription) {
      timer = setTimeout(
        () => {
          controller.abort(toDeadline(timeoutMs))
        },
        Math.min(timeoutMs, MAX_TIMEOUT_MS),
      )
    }
    try {
      const work = callTRPCProcedure({
        router,
        path: message.params.path,
        getRawInput: async () => call.input,
        ctx: call.context,
        type,
        signal,
        batchIndex,
      })
      if (isSubscription) await subscribe(call, await work, signal)
      else {
        const data = await (timer === undefined ? work : raceDeadline(work, signal))
        respond.result(call, { type: 'data', data })
      }
      free(id)
      if (isSubscription) respond.result(call, { type: 'stopped' })
    } catch (error) {
      free(id)
      if (isSubscription && signal.aborted) respond.result(call, { type: 'stopped' })
      else respond.error({ ...call, error: getTRPCErrorFromUnknown(error) })
    } finally {
      clearTimeout(timer)
      if (isSubscription) subscriptions -= 1
      if (underWay.size === 0) onIdle()
    }
  }

  /** The client may use the id again once it is told of the end. */
  function free(id: string | number): void {
    underWay.delete(id)
  }

  async function subscribe(call: Answered, stream: unknown, signal: AbortSignal): Promise<void> {
    if (typeof stream !== 'object' || stream === null || !(Symbol.asyncIterator in stream)) {
      const message = `${call.path ?? ''} is a subscription that returned no stream`
      throw new TRPCError({ code: 'INTERNAL_SERVER_ERROR', message })
    }
    respond.result(call, { type: 'started' })
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what has the symbol is what the protocol says
    await deliver(stream as AsyncIterable<unknown>, {
      signal,
      outbox,
      respond: (result) => {
        respond.result(call, result)
      },
    })
  }

  return {
    take(message, batchIndex, context) {
      if (message.method === 'subscription.stop') {
        // Of a call, too: whoever does not wait any more has it cancelled.
        if (message.id !== null) underWay.get(message.id)?.abort()
        return
      }
      const { id, jsonrpc, method: type, params } = message
      const input = withLastEventId(params.input, params.lastEventId)
      const call = { id, jsonrpc, context, path: params.path, type, input }
      run(message, batchIndex, call).catch((cause: unknown) => {
        // What cannot be put into JSON is a fault of the procedure.
        respond.error({ ...call, input: undefined, error: getTRPCErrorFromUnknown(cause) })
      })
    },
    get size() {
      return underWay.size
    },
    abortAll() {
      for (const controller of underWay.values()) controller.abort()
    },
  }
}

/** Longer than this nobody may wait: what a timer of JavaScript can hold. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

function noId(): TRPCError {
  return new TRPCError({ code: 'PARSE_ERROR', message: '`id` is required' })
}

function toDeadline(timeoutMs: number): CallRefusal {
  return new CallRefusal({
    code: 'TIMEOUT',
    reason: 'deadline_exceeded',
    message: `The call was not done within the ${String(timeoutMs)} ms that its caller waits`,
    hint: 'The call may have been carried out: repeat it with the same idempotency key.',
  })
}

async function raceDeadline(work: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(getTRPCErrorFromUnknown(signal.reason))
    })
    work.then(resolve, reject)
  })
}

/** Where a subscription that is begun again goes on from, as tRPC tells it to a procedure. */
function withLastEventId(input: unknown, lastEventId: string | undefined): unknown {
  if (lastEventId === undefined) return input
  if (typeof input === 'object' && input !== null) return { ...input, lastEventId }
  return input ?? { lastEventId }
}
