import {
  getTRPCErrorShape,
  transformTRPCResponse,
  type AnyTRPCRouter,
  type TRPCError,
  type TRPCProcedureType,
} from '@trpc/server'
import type { TRPCResultMessage } from '@trpc/server/rpc'
import type { AgentContext } from '@deputy/auth/trpc'
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

export type Respond = {
  result(call: Answered, result: TRPCResultMessage<unknown>['result']): void
  error(call: Answered & { readonly error: TRPCError }): void
}

/** Creates what puts answers into tRPC's form. */
export function createRespond(router: AnyTRPCRouter, outbox: Outbox): Respond {
  const config = router._def._config

  return {
    result({ id, jsonrpc }, result) {
      const envelope = jsonrpc === undefined ? { id, result } : { id, jsonrpc, result }
      outbox.send(JSON.stringify(transformTRPCResponse(config, envelope)))
    },
    error({ context, error, id, input, jsonrpc, path, type }) {
      const called = { type: type ?? ('unknown' as const), path, input }
      const shape = getTRPCErrorShape({ config, error, ...called, ctx: context })
      const envelope = jsonrpc === undefined ? { id, error: shape } : { id, jsonrpc, error: shape }
      outbox.send(JSON.stringify(transformTRPCResponse(config, envelope)))
    },
  }
}
