import { TRPCError, type TRPCProcedureType } from '@trpc/server'
import type { TRPCRequestInfo } from '@trpc/server/http'
import type { IncomingMessage } from 'node:http'
import type { CallInputs } from './call-inputs.ts'
import type { PlainRequest } from './plain-request.ts'

export type RequestInfoOptions = {
  readonly req: IncomingMessage
  readonly plain: PlainRequest
  readonly inputs: CallInputs
  readonly signal: AbortSignal
  readonly maxBatchSize: number | undefined
}

/**
 * Says what is asked for as tRPC does to `createContext` and `responseMeta`. Throws `BAD_REQUEST` for a batch
 * that is too large, or that mixes queries and mutations.
 */
export function createRequestInfo(options: RequestInfoOptions): TRPCRequestInfo {
  const { maxBatchSize, plain } = options
  const { isBatch, paths } = plain
  if (isBatch && maxBatchSize !== undefined && paths.length > maxBatchSize) {
    throw new TRPCError({ code: 'BAD_REQUEST', message: 'Batch call exceeds maximum size' })
  }
  return new PlainRequestInfo(options, readType(plain))
}

/**
 * A class for the sake of its getters. In an object literal V8 gives each object with a getter a hidden class of its own,
 * in old space, where it holds the getter, and with it all of a call, until all of memory is looked at: of each call 4 KiB
 * outlived it, and the collector took a fifth of the time (docs/adr/0041).
 */
class PlainRequestInfo implements TRPCRequestInfo {
  readonly accept = null
  readonly connectionParams = null
  readonly type: TRPCRequestInfo['type']
  readonly isBatchCall: boolean
  readonly signal: AbortSignal
  readonly #options: RequestInfoOptions
  #calls: TRPCRequestInfo['calls'] | undefined

  constructor(options: RequestInfoOptions, type: TRPCRequestInfo['type']) {
    this.type = type
    this.isBatchCall = options.plain.isBatch
    this.signal = options.signal
    this.#options = options
  }

  get calls(): TRPCRequestInfo['calls'] {
    const { inputs, plain } = this.#options
    return (this.#calls ??= plain.paths.map((path, index) => ({
      path,
      batchIndex: index,
      procedure: plain.procedures[index] ?? null,
      getRawInput: async () => inputs.read(index),
      result: () => inputs.peek(index),
    })))
  }

  /** Seldom asked for, and not for nothing. */
  get url(): URL {
    const { headers, url } = this.#options.req
    return new URL(url ?? '', `http://${headers.host ?? 'localhost'}`)
  }
}

/** The type of all calls; those of no procedure have none. */
function readType({ procedures }: PlainRequest): TRPCProcedureType | 'unknown' {
  const types: TRPCProcedureType[] = []
  for (const procedure of procedures) {
    const type = procedure?._def.type
    if (type !== undefined && !types.includes(type)) types.push(type)
  }
  const [type = 'unknown', ...others] = types
  if (others.length === 0) return type
  const message = `Cannot mix procedure types in call: ${types.join(', ')}`
  throw new TRPCError({ code: 'BAD_REQUEST', message })
}
