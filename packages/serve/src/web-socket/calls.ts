// The calls and subscriptions under way on one connection.
import { AuthError, type CallDeadlines, type ConnectionContext } from '@deputy/auth/trpc'
import {
  getTRPCErrorFromUnknown,
  TRPCError,
  type AnyTRPCRouter,
  type TRPCProcedureType,
} from '@trpc/server'
import type { RunProcedure } from '../plain-calls/procedure-runner.ts'
import type { Outbox } from './outbox.ts'
import type { ClientMessage } from './read-message.ts'
import type { Answered, Respond } from './respond.ts'
import { deliver } from './subscription.ts'
import type { WebSocketLimits } from './web-socket-limits.ts'

export type CallsOptions = {
  readonly router: AnyTRPCRouter
  /** Runs a call of the router. */
  readonly runCall: RunProcedure
  readonly limits: Pick<WebSocketLimits, 'maxCallsUnderWay' | 'maxSubscriptions'>
  readonly outbox: Outbox
  readonly respond: Respond
  /** How long calls may take. Default: as long as they like. */
  readonly deadlines?: CallDeadlines | undefined
  /** Told when the last one has ended. */
  readonly onIdle: () => void
}

export type Calls = {
  /** Begins a call, or ends the one that the message names. Never throws. */
  take(message: ClientMessage, batchIndex: number, context: ConnectionContext): void
  readonly size: number
  abortAll(): void
}

type Call = Answered & {
  readonly path: string
  readonly type: TRPCProcedureType
  readonly context: ConnectionContext
}
type CallOptions = { readonly batchIndex: number; readonly timeoutMs: unknown }

/** Creates the calls of one connection. */
export function createCalls(options: CallsOptions): Calls {
  return new ConnectionCalls(options)
}

/** A class, as there is one for each connection. */
class ConnectionCalls implements Calls {
  readonly #options: CallsOptions
  readonly #underWay = new Map<string | number, AbortController>()
  #subscriptions = 0

  constructor(options: CallsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#underWay.size
  }

  take(message: ClientMessage, batchIndex: number, context: ConnectionContext): void {
    if (message.method === 'subscription.stop') {
      // Of a call, too: whoever does not wait any more has it cancelled.
      if (message.id !== null) this.#underWay.get(message.id)?.abort()
      return
    }
    const { id, jsonrpc, method: type, params, timeoutMs } = message
    const input = withLastEventId(params.input, params.lastEventId)
    const call = { id, jsonrpc, context, path: params.path, type, input }
    this.#run(call, { batchIndex, timeoutMs }).catch((cause: unknown) => {
      // What cannot be put into JSON is a fault of the procedure.
      const error = getTRPCErrorFromUnknown(cause)
      this.#options.respond.error({ ...call, input: undefined, error })
    })
  }

  abortAll(): void {
    for (const controller of this.#underWay.values()) controller.abort()
  }

  #findRefusal(id: string | number, isSubscription: boolean): TRPCError | undefined {
    const { maxCallsUnderWay, maxSubscriptions } = this.#options.limits
    if (this.#underWay.has(id)) {
      const message = `a call with the id ${JSON.stringify(id).slice(0, 40)} is under way`
      return new TRPCError({ code: 'BAD_REQUEST', message })
    }
    if (this.#underWay.size >= maxCallsUnderWay) {
      return new AuthError({
        reason: 'too_many_calls',
        maxCalls: maxCallsUnderWay,
        retryAfterSeconds: 1,
      })
    }
    if (isSubscription && this.#subscriptions >= maxSubscriptions) {
      return new AuthError({ reason: 'too_many_streams', maxStreams: maxSubscriptions })
    }
    return undefined
  }

  async #run(call: Call, { batchIndex, timeoutMs }: CallOptions): Promise<void> {
    const { deadlines, onIdle, respond, router, runCall } = this.#options
    const { id, type } = call
    const isSubscription = type === 'subscription'
    const refusal = id === null ? noId() : this.#findRefusal(id, isSubscription)
    if (refusal !== undefined || id === null) {
      respond.error({ ...call, error: refusal ?? noId() })
      return
    }
    const controller = new AbortController()
    const { signal } = controller
    this.#underWay.set(id, controller)
    if (isSubscription) this.#subscriptions += 1
    try {
      const work = runCall({
        router,
        path: call.path,
        getRawInput: async () => call.input,
        ctx: {
          ...call.context,
          deadline: deadlines?.fromMessage(timeoutMs, call.context.timeoutHeader),
          // A stream ends with the reason, which its signal would take for its subscriber's wish.
          abort: isSubscription
            ? undefined
            : (reason: Error) => {
                controller.abort(reason)
              },
        },
        type,
        signal,
        batchIndex,
      })
      if (isSubscription) await this.#subscribe(call, await work, signal)
      else respond.result(call, { type: 'data', data: await work })
      // The client may use the id again once it is told of the end.
      this.#underWay.delete(id)
      if (isSubscription) respond.result(call, { type: 'stopped' })
    } catch (error) {
      this.#underWay.delete(id)
      if (isSubscription && signal.aborted) respond.result(call, { type: 'stopped' })
      else respond.error({ ...call, error: getTRPCErrorFromUnknown(error) })
    } finally {
      if (isSubscription) this.#subscriptions -= 1
      if (this.#underWay.size === 0) onIdle()
    }
  }

  async #subscribe(call: Call, stream: unknown, signal: AbortSignal): Promise<void> {
    const { outbox, respond } = this.#options
    if (typeof stream !== 'object' || stream === null || !(Symbol.asyncIterator in stream)) {
      const message = `${call.path} is a subscription that returned no stream`
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
}

function noId(): TRPCError {
  return new TRPCError({ code: 'PARSE_ERROR', message: '`id` is required' })
}

/** Where a subscription that is begun again goes on from, as tRPC tells it to a procedure. */
function withLastEventId(input: unknown, lastEventId: string | undefined): unknown {
  if (lastEventId === undefined) return input
  if (typeof input === 'object' && input !== null) return { ...input, lastEventId }
  return input ?? { lastEventId }
}
