import {
  getTRPCErrorShape,
  transformTRPCResponse,
  type AnyTRPCRouter,
  type TRPCError,
  type TRPCProcedureType,
} from '@trpc/server'
import type { TRPCResultMessage } from '@trpc/server/rpc'
import type { AgentContext } from '@deputy/auth/trpc'
import type { AnsweredError } from '../call-log.ts'
import type { Outbox } from './outbox.ts'

/** The call that is answered. */
export type Answered = {
  /** `null` for what cannot be told from which call it came. */
  readonly id: string | number | null
  readonly jsonrpc?: '2.0' | undefined
  readonly context: AgentContext | undefined
  readonly path?: string
  readonly type?: TRPCProcedureType
  readonly input?: unknown
}

type Refused = Answered & { readonly error: TRPCError }

export type Respond = {
  result(call: Answered, result: TRPCResultMessage<unknown>['result']): void
  error(refused: Refused): void
}

/** Told of an error before it is answered. */
export type OnError = (answered: AnsweredError) => void

/** Creates what puts answers into tRPC's form. */
export function createRespond(router: AnyTRPCRouter, outbox: Outbox, onError?: OnError): Respond {
  return new ConnectionRespond(router, outbox, onError)
}

/** A class, as there is one for each connection. */
class ConnectionRespond implements Respond {
  readonly #config: AnyTRPCRouter['_def']['_config']
  readonly #outbox: Outbox
  readonly #onError: OnError | undefined

  constructor(router: AnyTRPCRouter, outbox: Outbox, onError: OnError | undefined) {
    this.#config = router._def._config
    this.#outbox = outbox
    this.#onError = onError
  }

  result({ id, jsonrpc }: Answered, result: TRPCResultMessage<unknown>['result']): void {
    this.#send(jsonrpc === undefined ? { id, result } : { id, jsonrpc, result })
  }

  error({ context, error, id, input, jsonrpc, path, type }: Refused): void {
    const config = this.#config
    this.#onError?.({ error, path, type, ctx: context })
    const called = { type: type ?? ('unknown' as const), path, input }
    const shape = getTRPCErrorShape({ config, error, ...called, ctx: context })
    this.#send(jsonrpc === undefined ? { id, error: shape } : { id, jsonrpc, error: shape })
  }

  #send(envelope: Parameters<typeof transformTRPCResponse>[1]): void {
    const config = this.#config
    // What transforms nothing copies the answer three times all the same.
    const isPlain = isPlainJson(config.transformer)
    this.#outbox.send(JSON.stringify(isPlain ? envelope : transformTRPCResponse(config, envelope)))
  }
}

const PROBE = {}

/** Whether a router has no transformer: what comes out is what goes in. */
function isPlainJson({ output }: AnyTRPCRouter['_def']['_config']['transformer']): boolean {
  return output.serialize(PROBE) === PROBE
}
